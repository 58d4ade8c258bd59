/* Collects requests without waiting for any of them. */
#include "http/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/records.h"

enum {
	CHUNK = 65536,		/* that is read at once */
	WAITING_MAX = 128,	/* the oldest one makes room */
	WHOLE_MS = 5000,	/* as nginx's fastcgi_send_timeout */
	READ_MS = 20000,	/* more, as long as it is us who don't read */
	FIRST_MS = 1,		/* nginx connects, then writes at once */
	SAY_MS = 1000,		/* between complaints */
	EXHAUSTED_MS = 20	/* until a descriptor may be free again */
};

/* A connection whose request isn't whole yet. */
struct arrival {
	TAILQ_ENTRY(arrival) entry;
	int fd;
	int64_t until_ms;
	struct records records;
	uint8_t *bytes;		/* of the request so far */
	size_t len, size;
	bool cut;		/* what comes is too long to be kept */
};

static struct {
	int epoll, memory;
	int input;		/* of the memory, for the reader; or -1 */
	uint8_t *request;	/* what the memory holds, mapped */
	size_t size;
	TAILQ_HEAD(arrivals, arrival) waiting;	/* the oldest first */
	size_t nwaiting;
	int64_t said_ms;
} gate = { .epoll = -1, .memory = -1, .input = -1 };

int
gate_init(size_t body_max)
{
	void *at;

	TAILQ_INIT(&gate.waiting);
	/* nginx's records have a header per 32 kB of body. */
	gate.size = body_max + body_max / 64 + 4 * CHUNK;
	gate.epoll = epoll_create1(EPOLL_CLOEXEC);
	gate.memory = memfd_create("request", MFD_CLOEXEC);
	if (gate.epoll < 0 || gate.memory < 0 ||
	    ftruncate(gate.memory, (off_t)gate.size) != 0)
		return -1;
	at = mmap(NULL, gate.size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    gate.memory, 0);
	if (at == MAP_FAILED)
		return -1;
	gate.request = at;
	return 0;
}

int
gate_fd(void)
{
	return gate.epoll;
}

/* What fails over and over must not fill the log. */
static void
complain(int level, const char *what, const char *why)
{
	int64_t now_ms = clock_ms();

	if (now_ms - gate.said_ms < SAY_MS)
		return;
	gate.said_ms = now_ms;
	log_line(level, "FastCGI socket: %s: %s", what, why);
}

static void
cut_off(int fd, const char *why)
{
	complain(LOG_WARNING, "a peer was cut off", why);
	close(fd);
}

static void
forget(struct arrival *a)
{
	TAILQ_REMOVE(&gate.waiting, a, entry);
	gate.nwaiting--;
	epoll_ctl(gate.epoll, EPOLL_CTL_DEL, a->fd, NULL);
	free(a->bytes);
	free(a);
}

static void
drop(struct arrival *a, const char *why)
{
	int fd = a->fd;

	forget(a);
	cut_off(fd, why);
}

/*
 * Keeps n more bytes of a request, which records already know. When there is
 * no room for as many again, the record in hand and what follows are let go.
 */
static void
keep(struct arrival *a, const uint8_t *bytes, size_t n)
{
	if (a->cut || n == 0)
		return;
	if (a->len + n > a->size) {
		a->size = (a->len + n) * 2;
		a->bytes = mem_reallocarray(a->bytes, a->size, 1);
	}
	memcpy(a->bytes + a->len, bytes, n);
	a->len += n;
	if (a->len + CHUNK + RECORD_HEADER > gate.size) {
		a->cut = true;
		a->len = a->records.at;
	}
}

/*
 * Reads what has come on fd into the mapped memory. Returns how much that is,
 * 0 if nothing came yet, or -1 if nothing will.
 */
static ssize_t
read_some(int fd)
{
	ssize_t n = recv(fd, gate.request, CHUNK, MSG_DONTWAIT);

	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static void
wait_for_rest(int fd, const struct records *records, size_t n)
{
	struct arrival *a = mem_calloc(1, sizeof(*a));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = a };

	a->fd = fd;
	a->until_ms = clock_ms() + WHOLE_MS;
	a->records = *records;
	keep(a, gate.request, n);
	if (gate.nwaiting == WAITING_MAX)
		drop(TAILQ_FIRST(&gate.waiting), "too many are slow");
	TAILQ_INSERT_TAIL(&gate.waiting, a, entry);
	gate.nwaiting++;
	if (epoll_ctl(gate.epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		drop(a, strerror(errno));
}

/* Without descriptors it would be tried for ever; others may have some. */
static int
not_accepted(void)
{
	int error = errno;

	if (error != EAGAIN && error != ECONNABORTED && error != EINTR) {
		complain(LOG_ERR, "accept", strerror(error));
		poll(NULL, 0, EXHAUSTED_MS);
	}
	errno = error;
	return -1;
}

/* A new connection, if its request is there already; or -1. */
static int
accept_one(int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct records records = { .state = RECORDS_BEGIN };
	ssize_t n;

	if (fd < 0)
		return not_accepted();
	if ((n = read_some(fd)) == 0 && poll(&p, 1, FIRST_MS) == 1)
		n = read_some(fd);
	errno = EAGAIN;
	if (n < 0) {
		close(fd);
		return -1;
	}
	switch (records_eat(&records, gate.request, (size_t)n)) {
	case RECORDS_WHOLE:
		return fd;
	case RECORDS_BAD:
		cut_off(fd, records.why);
		break;
	default:
		wait_for_rest(fd, &records, (size_t)n);
		break;
	}
	return -1;
}

/* Puts the whole request where it is read from; returns its connection. */
static int
release(struct arrival *a)
{
	int fd = a->fd;

	memcpy(gate.request, a->bytes, a->len);
	if (a->cut)
		records_end(&a->records, gate.request + a->len);
	forget(a);
	return fd;
}

/* One that waits, if it is whole now; or -1. */
static int
continue_one(void)
{
	struct epoll_event ev;
	struct arrival *a;
	ssize_t n;
	int fd;

	if (gate.nwaiting == 0 || epoll_wait(gate.epoll, &ev, 1, 0) != 1)
		return -1;
	a = ev.data.ptr;
	if ((n = read_some(a->fd)) < 0) {
		fd = a->fd;
		forget(a);
		close(fd);
		return -1;
	}
	switch (records_eat(&a->records, gate.request, (size_t)n)) {
	case RECORDS_WHOLE:
		keep(a, gate.request, (size_t)n);
		return release(a);
	case RECORDS_BAD:
		drop(a, a->records.why);
		return -1;
	default:
		keep(a, gate.request, (size_t)n);
		return -1;
	}
}

int
gate_next(int listen_fd)
{
	int fd = continue_one();

	return fd >= 0 ? fd : accept_one(listen_fd);
}

int
gate_input(void)
{
	if (gate.input < 0)
		gate.input = fcntl(gate.memory, F_DUPFD_CLOEXEC, 0);
	return gate.input >= 0 && lseek(gate.input, 0, SEEK_SET) == 0 ?
	    gate.input : -1;
}

void
gate_input_lost(void)
{
	gate.input = -1;
}

/*
 * A worker that is busy reads late, and this isn't its peers' fault: who has
 * sent something meanwhile is read first.
 */
static bool
overdue(const struct arrival *a, int64_t now_ms)
{
	struct pollfd p = { .fd = a->fd, .events = POLLIN };

	return now_ms > a->until_ms &&
	    (now_ms > a->until_ms + READ_MS || poll(&p, 1, 0) == 0);
}

bool
gate_waits(void)
{
	struct arrival *a, *next;
	int64_t now_ms;

	if (gate.nwaiting == 0)
		return false;
	now_ms = clock_ms();
	for (a = TAILQ_FIRST(&gate.waiting); a != NULL &&
	    now_ms > a->until_ms; a = next) {
		next = TAILQ_NEXT(a, entry);
		if (overdue(a, now_ms))
			drop(a, "its request did not come in time");
	}
	return gate.nwaiting > 0;
}
