/*
 * Connections whose requests come in pieces, or never: those that are whole
 * pass at once, byte for byte, and no others.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/gate.h"
#include "http/records.h"
#include "suite.h"

enum {
	BODY_MAX = 1 << 20,
	LARGE = BODY_MAX + BODY_MAX / 2,	/* a body too long to be kept */
	RECORD = 32768,				/* of it, as nginx cuts it */
	PEERS = 100,
	GIVEN_MS = 5000			/* for a request to come */
};

static const uint8_t head[] = "\1\1\0\1\0\10\0\0" "\0\1\0\0\0\0\0\0"
    "\1\4\0\1\0\0\0\0" "\1\5\0\1\0\5\0\0" "hello";
static const uint8_t tail[] = "\1\5\0\1\0\0\0\0";

static int listening;
static struct sockaddr_un name = { .sun_family = AF_UNIX };

/* A socket in the abstract namespace: its name is the kernel's choice. */
static void
setup(void)
{
	socklen_t len = sizeof(name);

	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(listening, (struct sockaddr *)&name,
	    sizeof(sa_family_t)), 0);
	ck_assert_int_eq(listen(listening, PEERS * 2), 0);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&name,
	    &len), 0);
	ck_assert_int_eq(gate_init(BODY_MAX), 0);
}

static int
peer(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&name,
	    sizeof(sa_family_t) + 6), 0);
	return fd;
}

static void
put(int fd, const void *bytes, size_t n)
{
	ck_assert_int_eq(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* What libfcgi would read: n bytes of it. */
static void
expect_input(const void *bytes, size_t n)
{
	int fd = gate_input();
	char *got = malloc(n);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(read(fd, got, n), (ssize_t)n);
	ck_assert_mem_eq(got, bytes, n);
	free(got);
}

static void
expect_request(void)
{
	expect_input(head, sizeof(head) - 1);
}

/* The connection is peer's: what one side says the other one hears. */
static void
expect_peer(int fd, int peer_fd)
{
	char c = 0;

	ck_assert_int_ge(fd, 0);
	put(fd, "x", 1);
	ck_assert_int_eq(recv(peer_fd, &c, 1, MSG_DONTWAIT), 1);
	ck_assert_int_eq(c, 'x');
	close(fd);
}

static void
expect_none(void)
{
	errno = 0;
	ck_assert_int_eq(gate_next(listening), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

static void
expect_closed(int fd)
{
	char c;

	ck_assert_int_eq(recv(fd, &c, 1, MSG_DONTWAIT), 0);
	close(fd);
}

START_TEST(whole)
{
	int fd = peer();

	put(fd, head, sizeof(head) - 1);
	put(fd, tail, sizeof(tail) - 1);
	expect_peer(gate_next(listening), fd);
	expect_request();
	ck_assert(!gate_waits());
	expect_none();
	close(fd);
}
END_TEST

/* One that is cut off anywhere waits, and passes when the rest comes. */
START_TEST(in_two_pieces)
{
	uint8_t bytes[sizeof(head) + sizeof(tail) - 2];

	memcpy(bytes, head, sizeof(head) - 1);
	memcpy(bytes + sizeof(head) - 1, tail, sizeof(tail) - 1);
	for (size_t n = 0; n < sizeof(bytes); n++) {
		struct pollfd p = { .fd = gate_fd(), .events = POLLIN };
		int fd = peer();

		if (n > 0)
			put(fd, bytes, n);
		expect_none();
		ck_assert(gate_waits());
		ck_assert_int_eq(poll(&p, 1, 0), 0);
		put(fd, bytes + n, sizeof(bytes) - n);
		ck_assert_int_eq(poll(&p, 1, 0), 1);
		expect_peer(gate_next(listening), fd);
		expect_request();
		ck_assert(!gate_waits());
		close(fd);
	}
}
END_TEST

/* Time is given to the peer, not to us: what has come is read first. */
START_TEST(in_time)
{
	int silent = peer(), slow = peer();

	put(slow, head, sizeof(head) - 1);
	expect_none();
	expect_none();
	usleep((GIVEN_MS + 100) * 1000);
	put(slow, tail, sizeof(tail) - 1);
	ck_assert(gate_waits());
	expect_closed(silent);
	expect_peer(gate_next(listening), slow);
	expect_request();
	close(slow);

	slow = peer();
	put(slow, head, sizeof(head) - 1);
	expect_none();
	usleep((GIVEN_MS + 100) * 1000);
	ck_assert(!gate_waits());
	expect_closed(slow);
}
END_TEST

/* Others pass those that stand still. */
START_TEST(silent_peers)
{
	int silent[PEERS], fd;

	for (size_t i = 0; i < PEERS; i++) {
		silent[i] = peer();
		if (i % 2 == 0)
			put(silent[i], head, i % sizeof(head));
		expect_none();
	}
	fd = peer();
	put(fd, head, sizeof(head) - 1);
	put(fd, tail, sizeof(tail) - 1);
	expect_peer(gate_next(listening), fd);
	expect_request();
	close(fd);
	for (size_t i = 0; i < PEERS; i++)
		close(silent[i]);
	for (size_t i = 0; i < PEERS; i++)
		expect_none();
	ck_assert(!gate_waits());
}
END_TEST

/* There is room for many, not for any number: the oldest makes it. */
START_TEST(too_many)
{
	int first = peer(), more[2 * PEERS];
	char c;

	expect_none();
	for (size_t i = 0; i < 2 * PEERS; i++) {
		more[i] = peer();
		expect_none();
	}
	expect_closed(first);
	ck_assert_int_eq(recv(more[2 * PEERS - 1], &c, 1, MSG_DONTWAIT), -1);
	for (size_t i = 0; i < 2 * PEERS; i++)
		close(more[i]);
}
END_TEST

START_TEST(nonsense)
{
	int at_once = peer(), later = peer(), gone = peer();

	put(at_once, "GET / HTTP/1.1\r\n", 16);
	put(later, head, 16);
	expect_none();
	expect_none();
	expect_closed(at_once);
	put(later, head, 16);
	expect_none();
	expect_closed(later);
	close(gone);
	expect_none();
	expect_none();
	ck_assert(!gate_waits());
}
END_TEST

/* Fed by small pieces, through a socket that can't hold all of it. */
static int
feed(int fd, const uint8_t *bytes, size_t n)
{
	size_t done = 0;
	int got = -1;

	while (got < 0 && done < n) {
		ssize_t w = send(fd, bytes + done, n - done,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		ck_assert(w > 0 || errno == EAGAIN);
		done += w > 0 ? (size_t)w : 0;
		got = gate_next(listening);
	}
	while (got < 0 && gate_waits())
		got = gate_next(listening);
	ck_assert_uint_eq(done, n);
	return got;
}

/* A request with a body of n bytes; returns its length. */
static size_t
make_large(uint8_t *to, size_t n)
{
	size_t len = sizeof(head) - 1 - RECORD_HEADER - 5;

	memcpy(to, head, len);
	for (size_t i = 0; i < n; i += RECORD) {
		size_t part = n - i < RECORD ? n - i : RECORD;

		memcpy(to + len, "\1\5\0\1\0\0\0\0", RECORD_HEADER);
		to[len + 4] = (uint8_t)(part >> 8);
		to[len + 5] = (uint8_t)part;
		len += RECORD_HEADER;
		for (size_t k = 0; k < part; k++)
			to[len + k] = (uint8_t)(i / 251 + k);
		len += part;
	}
	memcpy(to + len, tail, RECORD_HEADER);
	return len + RECORD_HEADER;
}

START_TEST(large)
{
	uint8_t *bytes = malloc(2 * BODY_MAX);
	size_t n = make_large(bytes, BODY_MAX);
	int fd = peer();

	expect_peer(feed(fd, bytes, n), fd);
	expect_input(bytes, n);
	close(fd);
	free(bytes);
}
END_TEST

/* One that is too large is read to its end and passes in part. */
START_TEST(too_large)
{
	uint8_t *bytes = malloc(2 * LARGE), *got = malloc(2 * LARGE);
	size_t n = make_large(bytes, LARGE);
	struct records r = { .state = RECORDS_BEGIN };
	int fd = peer(), input;

	expect_peer(feed(fd, bytes, n), fd);
	ck_assert_int_ge(input = gate_input(), 0);
	n = (size_t)read(input, got, 2 * LARGE);
	ck_assert_int_eq(records_eat(&r, got, n), RECORDS_WHOLE);
	ck_assert_uint_gt(r.body, BODY_MAX);
	ck_assert_uint_lt(r.body, LARGE);
	ck_assert_mem_eq(got, bytes, r.seen - RECORD_HEADER);
	close(fd);
	free(bytes);
	free(got);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gate");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, whole);
	tcase_add_test(tc, in_two_pieces);
	tcase_add_test(tc, in_time);
	tcase_add_test(tc, silent_peers);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, nonsense);
	tcase_add_test(tc, large);
	tcase_add_test(tc, too_large);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
