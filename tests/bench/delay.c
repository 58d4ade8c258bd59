/*
 * A proxy that makes a database far away: it passes bytes between unix
 * sockets, each after a fixed time, as a long wire would.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

enum { PIECE_MAX = 65536, EVENTS_MAX = 64, BUFFER = 4 << 20 };

/* What was read together; empty: the end. */
struct piece {
	struct piece *next;
	int64_t due_us;
	size_t len, done;
	char bytes[];
};

/* One end of a connection, and the pieces under way to it. */
struct end {
	int fd;
	struct end *other;
	struct piece *head, **tail;
	bool closed;		/* nothing can be sent to it any more */
	struct end *next;
};

static int64_t delay_us;
static int epoll;
static struct end *ends;

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static struct sockaddr_un
address(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(sun.sun_path)) {
		fprintf(stderr, "%s: too long for a socket\n", path);
		exit(1);
	}
	memcpy(sun.sun_path, path, strlen(path));
	return sun;
}

static struct end *
end_new(int fd)
{
	struct end *e = mem_calloc(1, sizeof(*e));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = e };
	int size = BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	e->fd = fd;
	e->tail = &e->head;
	e->next = ends;
	ends = e;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
		perror("epoll");
		exit(1);
	}
	return e;
}

static void
accept_one(int listener, const char *to)
{
	const struct sockaddr_un sun = address(to);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int db = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct end *a, *b;

	if (fd < 0 || db < 0 ||
	    connect(db, (const struct sockaddr *)&sun, sizeof(sun)) != 0) {
		if (fd >= 0)
			close(fd);
		if (db >= 0)
			close(db);
		return;
	}
	a = end_new(fd);
	b = end_new(db);
	a->other = b;
	b->other = a;
}

static void
take(struct end *from)
{
	struct piece *p = malloc(sizeof(*p) + PIECE_MAX);
	struct end *to = from->other;
	ssize_t n;

	if (p == NULL)
		exit(1);
	n = recv(from->fd, p->bytes, PIECE_MAX, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		free(p);
		return;
	}
	*p = (struct piece){ .due_us = now_us() + delay_us,
	    .len = n > 0 ? (size_t)n : 0 };
	if (n <= 0)
		epoll_ctl(epoll, EPOLL_CTL_DEL, from->fd, NULL);
	*to->tail = p;
	to->tail = &p->next;
}

/* Sends what is due. Returns when the next piece is, or INT64_MAX. */
static int64_t
pass(struct end *e, int64_t now)
{
	struct piece *p;
	ssize_t n;

	while ((p = e->head) != NULL && p->due_us <= now) {
		n = e->closed || p->len == 0 ? (ssize_t)p->len :
		    send(e->fd, p->bytes + p->done, p->len - p->done,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return now + 100;
		if (n < 0 || p->len == 0) {
			e->closed = true;
			shutdown(e->fd, SHUT_RDWR);
		}
		if (n > 0 && !e->closed && (p->done += (size_t)n) < p->len)
			continue;
		if ((e->head = p->next) == NULL)
			e->tail = &e->head;
		free(p);
	}
	return e->head != NULL ? e->head->due_us : INT64_MAX;
}

/* A pair that has come to its end is closed; there are few, so it stays. */
static void
close_ended(void)
{
	for (struct end *e = ends; e != NULL; e = e->next)
		if (e->fd >= 0 && e->closed && e->other->closed &&
		    e->head == NULL) {
			close(e->fd);
			e->fd = -1;
		}
}

static void
run(int listener, const char *to)
{
	struct epoll_event ev[EVENTS_MAX];
	struct timespec ts;
	int64_t now, next, due;
	int n;

	for (;;) {
		now = now_us();
		next = now + 1000000;
		for (struct end *e = ends; e != NULL; e = e->next)
			if ((due = pass(e, now)) < next)
				next = due;
		close_ended();
		due = next > now ? next - now : 0;
		ts = (struct timespec){ due / 1000000, due % 1000000 * 1000 };
		n = epoll_pwait2(epoll, ev, EVENTS_MAX, &ts, NULL);
		for (int i = 0; i < n; i++)
			if (ev[i].data.ptr == NULL)
				accept_one(listener, to);
			else
				take(ev[i].data.ptr);
	}
}

int
main(int argc, char **argv)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct sockaddr_un sun;
	int listener;

	if (argc != 4) {
		fputs("usage: bench-delay SOCKET DATABASE_SOCKET "
		    "MILLISECONDS_PER_ROUND_TRIP\n", stderr);
		return 2;
	}
	delay_us = (int64_t)(atof(argv[3]) * 1000 / 2);
	prctl(PR_SET_TIMERSLACK, 1);
	signal(SIGPIPE, SIG_IGN);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	sun = address(argv[1]);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(argv[1]);
	if (bind(listener, (struct sockaddr *)&sun, sizeof(sun)) != 0 ||
	    listen(listener, 128) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev) != 0) {
		perror(argv[1]);
		return 1;
	}
	run(listener, argv[2]);
}
