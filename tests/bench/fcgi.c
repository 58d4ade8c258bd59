/*
 * Plain FastCGI workers to measure against: processes that take one request
 * at a time, and answer at once, or after they stored the event by themselves.
 */
#include <errno.h>
#include <obstack.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "four.h"
#include "http/gate.h"
#include "http/listener.h"
#include "http/reply.h"
#include "http/request.h"
#include "stripe/event.h"
#include "stripe/signature.h"

enum { BODY_MAX = 1 << 20, TOLERANCE = 300 };

static struct signing_secret secret;
static const struct signing_secrets secrets = { &secret, 1 };

/* Verified, parsed, stored: what a delivery's answer stands for. */
static enum outcome
store(struct four *f, const struct request *req, struct obstack *mem)
{
	struct event ev = { 0 };
	const char *why;
	enum outcome out;

	if ((out = signature_check(req->signature,
	    req->signature != NULL ? strlen(req->signature) : 0, req->body,
	    req->body_len, &secrets, time(NULL), TOLERANCE, NULL)) != OUT_OK ||
	    (out = event_parse(&ev, mem, req->body, req->body_len,
	    &why)) != OUT_OK)
		return out;
	if (four_store(f, &ev, req->body, req->body_len) != 0)
		out = OUT_DB_SYSTEM;
	event_drop_json(&ev);
	return out;
}

static void
serve(int fd, struct four *f)
{
	struct pollfd pfds[] = { { .fd = fd, .events = POLLIN },
	    { .events = POLLIN } };
	struct obstack mem;
	struct request req;
	FCGX_Request fcgi;
	enum outcome out;
	void *base;

	obstack_init(&mem);
	base = obstack_alloc(&mem, 0);
	if (request_library_init(BODY_MAX) != 0 ||
	    request_init(&fcgi, fd) != 0)
		exit(1);
	pfds[1].fd = gate_fd();
	for (;;) {
		if (poll(pfds, 2, -1) < 1 || request_accept(&fcgi) != 0)
			continue;
		out = request_read(&req, &fcgi, &mem, BODY_MAX);
		if (out == OUT_OK && f != NULL)
			out = store(f, &req, &mem);
		reply_outcome(&fcgi, out, "POST");
		obstack_free(&mem, base);
		base = obstack_alloc(&mem, 0);
	}
}

static void
start(int fd, const char *db_socket, const char *database, pid_t master)
{
	if (fork() != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != master)
		exit(0);
	serve(fd, db_socket != NULL ? four_new(db_socket, database) : NULL);
}

int
main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct listener l;
	long n;

	if ((argc != 3 && argc != 6) || (n = atol(argv[2])) < 1) {
		fputs("usage: bench-fcgi SOCKET PROCESSES "
		    "[SECRET DB_SOCKET DATABASE]\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (argc == 6) {
		secret.text = argv[3];
		secret.len = strlen(argv[3]);
	}
	if (listener_open(&l, argv[1], NULL, &err) != 0) {
		fputs(err.text, stderr);
		return 1;
	}
	for (long i = 0; i < n; i++)
		start(l.fd, argc == 6 ? argv[4] : NULL, argv[5], getpid());
	/* One that ends couldn't do its work; then the others end, too. */
	while (wait(NULL) < 0 && errno == EINTR)
		;
	return 1;
}
