/*
 * stripehookctl demo: makes the payments of the development server's page. A
 * server of its own, behind nginx, so that the daemon needs no code and no
 * right for it; one thread serves and delivers.
 */
#include <curl/curl.h>
#include <getopt.h>
#include <obstack.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "ctl/ctl.h"
#include "ctl/demo_int.h"
#include "ctl/trigger_deliver.h"
#include "ctl/trigger_post.h"
#include "ctl/trigger_target.h"
#include "http/gate.h"
#include "http/listener.h"
#include "http/request.h"
#include "store/tooldb.h"

static int
refuse(const char *why)
{
	fprintf(stderr, "stripehookctl: %s\n", why);
	return CTL_NO;
}

/* TERM and INT, read where all else is waited for: none can be missed. */
static int
stop_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* The settings are read anew for each payment, the secret with them. */
static int
deliver_due(struct demo *d)
{
	struct deliver_options sign = { .secret = NULL };
	const struct signing_secret *secret =
	    post_secret(&d->cfg.webhook_secrets);

	if (secret == NULL)
		return -1;
	sign.secret = secret->text;
	sign.secret_len = secret->len;
	return player_run(d->player, &sign);
}

static int
serve(struct demo *d, int fd)
{
	struct curl_waitfd fds[3] = { { .events = CURL_WAIT_POLLIN },
	    { .events = CURL_WAIT_POLLIN }, { .events = CURL_WAIT_POLLIN } };
	struct obstack mem;
	FCGX_Request r;
	int ms;

	fds[0].fd = stop_signals();
	if (fds[0].fd < 0 || request_library_init(DEMO_BODY_MAX) != 0 ||
	    request_init(&r, fd) != 0)
		return refuse("libfcgi can't be set up");
	fds[1].fd = fd;
	fds[2].fd = gate_fd();
	obstack_init(&mem);
	while ((ms = deliver_due(d)) >= 0) {
		(void)gate_waits();
		player_wait(d->player, fds, 3, ms);
		if (fds[0].revents != 0)
			break;
		if ((fds[1].revents != 0 || fds[2].revents != 0) &&
		    request_accept(&r) == 0) {
			void *base = obstack_alloc(&mem, 1);

			demo_serve(d, &r, &mem);
			obstack_free(&mem, base);
		}
	}
	obstack_free(&mem, NULL);
	close(fds[0].fd);
	return ms >= 0 ? CTL_DONE : CTL_UNREACHABLE;
}

static int
run(struct demo *d, const char *socket, const char *to)
{
	struct target target = { .url = NULL };
	struct listener l;
	struct err err = ERR_INIT;
	int rc;

	if (d->cfg.demo != 1)
		return refuse("the demo is off: it runs with STRIPEHOOK_DEMO=1"
		    " alone, which scripts/run sets");
	if ((rc = target_find(&target, to, d->cfg.http_port, false)) !=
	    CTL_DONE)
		return rc;
	if (listener_open(&l, socket, NULL, &err) != 0) {
		fputs(err.text, stderr);
		target_free(&target);
		return CTL_UNREACHABLE;
	}
	d->player = player_new(&target);
	rc = serve(d, l.fd);
	player_free(d->player);
	listener_unlink(&l);
	listener_close(&l);
	target_free(&target);
	return rc;
}

int
ctl_demo(int argc, char **argv)
{
	static const struct option options[] = {
		{ "program", required_argument, NULL, 'p' },
		{ "socket", required_argument, NULL, 's' },
		{ "to", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 }
	};
	struct demo d = { .program = "stripehookctl" };
	const char *socket = NULL, *to = NULL;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return ctl_usage();
		*(c == 'p' ? &d.program : c == 's' ? &socket : &to) = optarg;
	}
	if (optind < argc || socket == NULL)
		return ctl_usage();
	if (ctl_config(&d.cfg) != 0)
		return CTL_UNREACHABLE;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	rc = run(&d, socket, to);
	tooldb_free(d.db);
	curl_global_cleanup();
	config_free(&d.cfg);
	return rc;
}
