/* Answers over a connection of its own, and the headers for other origins. */
#include <fastcgi.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/config.h"
#include "http/conn.h"
#include "http/cors.h"
#include "http/reply.h"
#include "suite.h"

#define N(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct conn conn;
static int peer;
static char output[1 << 18];

static void
open_pair(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	conn = (struct conn){ .fd = fds[0], .request_id = 0x0102 };
	peer = fds[1];
}

static void
close_pair(void)
{
	conn_drop(&conn);
	close(peer);
}

/* What the peer got, its STDOUT in output; returns how many ends it had. */
static int
read_records(void)
{
	static unsigned char raw[1 << 18];
	size_t len = 0, at = 0, out = 0;
	ssize_t n;
	int ends = 0;

	ck_assert_int_eq(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
	while ((n = read(peer, raw + len, sizeof(raw) - len)) > 0)
		len += (size_t)n;
	while (at < len) {
		const unsigned char *h = raw + at;
		size_t content = (size_t)h[4] << 8 | h[5];

		ck_assert_uint_eq(h[0], FCGI_VERSION_1);
		ck_assert_uint_eq((unsigned)(h[2] << 8 | h[3]), 0x0102);
		ck_assert(at + 8 + content + h[6] <= len);
		if (h[1] == FCGI_STDOUT)
			memcpy(output + out, h + 8, content);
		else if (h[1] == FCGI_END_REQUEST)
			ends++;
		else
			ck_abort_msg("record of type %u", h[1]);
		out += h[1] == FCGI_STDOUT ? content : 0;
		at += 8 + content + h[6];
	}
	output[out] = '\0';
	return ends;
}

START_TEST(whole_answer)
{
	const struct reply reply = { .status = 200, .type = "text/plain",
	    .headers = "X-A: b\r\n", .body = "hello", .body_len = 5 };

	ck_assert_int_eq(conn_reply(&conn, &reply), 0);
	ck_assert_int_eq(conn.fd, -1);
	ck_assert_int_eq(read_records(), 1);
	ck_assert_str_eq(output, "Status: 200 OK\r\nContent-Type: text/plain"
	    "\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello");
}
END_TEST

START_TEST(no_body)
{
	const struct reply reply = { .status = 304, .headers = "",
	    .body = "" };

	ck_assert_int_eq(conn_reply(&conn, &reply), 0);
	ck_assert_int_eq(read_records(), 1);
	ck_assert_str_eq(output, "Status: 304 Not Modified\r\n\r\n");
}
END_TEST

START_TEST(parts)
{
	const struct reply head = { .status = 200, .type = "a/b",
	    .headers = "", .body = "1", .body_len = 1 };

	ck_assert_int_eq(conn_begin(&conn, &head), 0);
	ck_assert_int_eq(conn_send(&conn, "23", 2), 0);
	ck_assert_int_eq(read_records(), 0);
	ck_assert_str_eq(output, "Status: 200 OK\r\nContent-Type: a/b\r\n\r\n"
	    "123");
	conn_end(&conn);
	ck_assert_int_eq(conn.fd, -1);
	ck_assert_int_eq(read_records(), 1);
	ck_assert_str_eq(output, "");
}
END_TEST

/* Nobody waits for a peer that doesn't read. */
START_TEST(peer_stalls)
{
	static char text[32768];
	int sent = 0;

	memset(text, 'x', sizeof(text));
	while (conn_send(&conn, text, sizeof(text)) == 0)
		ck_assert_int_lt(++sent, 1000);
	ck_assert_int_gt(sent, 0);
	ck_assert_int_eq(conn.fd, -1);
	ck_assert_int_eq(conn_send(&conn, "x", 1), -1);
}
END_TEST

START_TEST(peer_gone)
{
	close(peer);
	peer = -1;
	ck_assert_int_eq(conn_send(&conn, "x", 1), -1);
	ck_assert_int_eq(conn.fd, -1);
	conn_end(&conn);
}
END_TEST

START_TEST(too_long)
{
	static char text[70000];

	ck_assert_int_eq(conn_send(&conn, text, sizeof(text)), -1);
	ck_assert_int_eq(conn.fd, -1);
}
END_TEST

static char *listed[] = { (char *)"https://shop.example",
	(char *)"http://localhost:3000" };
static const struct strings allowed = { listed, 2 };

static const struct {
	const char *origin;
	bool yes;
} origins[] = {
	{ "https://shop.example", true }, { "http://localhost:3000", true },
	{ NULL, false }, { "", false }, { "null", false },
	{ "https://shop.example.evil.example", false },
	{ "https://shop.exampl", false }, { "http://shop.example", false },
	{ "https://SHOP.example", false }, { "https://shop.example/", false },
	{ "https://shop.example\r\nX: y", false },
};

START_TEST(origin)
{
	char headers[CORS_MAX];

	for (int preflight = 0; preflight < 2; preflight++) {
		cors_headers(headers, origins[_i].origin, &allowed, preflight);
		ck_assert(strstr(headers, "Vary: Origin\r\n") != NULL);
		ck_assert_msg((strstr(headers, "Allow-Origin") != NULL) ==
		    origins[_i].yes, "%s", headers);
		ck_assert_int_eq(strstr(headers, "Allow-Headers") != NULL,
		    origins[_i].yes && preflight);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conn");
	TCase *t = tcase_create("conn"), *c = tcase_create("cors");

	tcase_add_checked_fixture(t, open_pair, close_pair);
	tcase_add_test(t, whole_answer);
	tcase_add_test(t, no_body);
	tcase_add_test(t, parts);
	tcase_add_test(t, peer_stalls);
	tcase_add_test(t, peer_gone);
	tcase_add_test(t, too_long);
	tcase_add_loop_test(c, origin, 0, N(origins));
	suite_add_tcase(s, t);
	suite_add_tcase(s, c);
	return suite_run(s);
}
