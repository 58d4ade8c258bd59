/*
 * Load: signed deliveries of an event template, each with ids of its own, over
 * many connections of one thread; as fast as they are answered, or at a
 * constant rate, whose latencies count from when a delivery was due.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/mem.h"
#include "load.h"

enum { EVENTS_MAX = 256, PATIENCE_US = 20000000, RESEND_NS = 2000000 };

static struct load_options opt = { .secret = "whsec_test_secret", .port = 8000,
    .path = "/api/webhooks/stripe/", .connections = 64, .prefix = "evt_load" };
static struct load_conn *conns;
static int *idle, nidle, epoll;
static long next_number, *again, nagain, agains_max;
static int64_t start_us, end_us, warm_us;
static FILE *ledger;

int64_t
load_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The next delivery: one refused before, one again, or a new one. */
static long
pick(int64_t now)
{
	if (end_us != 0 && now >= end_us)
		return -1;
	if (nagain > 0)
		return again[--nagain];
	if (opt.duplicates > 0 && next_number > 0 &&
	    rand() % 100 < opt.duplicates)
		return rand() % next_number;
	return opt.count == 0 || next_number < opt.count ? next_number++ : -1;
}

static void
finish(struct load_conn *c, int status, int64_t now)
{
	char id[LOAD_ID_MAX];

	idle[nidle++] = (int)(c - conns);
	load_stats_ever(status);
	if (end_us == 0 || now <= end_us)
		load_stats_count(status, c->due_us, c->sent_us, now);
	if (status / 100 == 2) {
		if (ledger != NULL) {
			load_id(id, c->number);
			fprintf(ledger, "%s\n", id);
		}
	} else if (opt.resend) {
		if (nagain == agains_max) {
			agains_max = agains_max * 2 + 64;
			again = mem_reallocarray(again, (size_t)agains_max,
			    sizeof(*again));
		}
		again[nagain++] = c->number;
		nanosleep(&(struct timespec){ .tv_nsec = RESEND_NS }, NULL);
	}
}

/* When the n-th is due; 0 for at once. */
static int64_t
due_at(long n)
{
	return opt.rate > 0 ?
	    start_us + (int64_t)((double)n * 1e6 / opt.rate) : 0;
}

/*
 * Begins what is due on idle connections. Returns when the next one is due
 * for which there is a connection; 0 if there is none.
 */
static int64_t
begin_due(int64_t now)
{
	static long begun;
	struct load_conn *c;
	long number;

	while (nidle > 0) {
		if (due_at(begun) > now)
			return due_at(begun);
		if ((number = pick(now)) < 0)
			return 0;
		c = &conns[idle[--nidle]];
		if (load_conn_begin(c, number, due_at(begun++)) == LOAD_BROKEN)
			finish(c, 0, load_now());
	}
	return 0;
}

/* Waits for answers, or until the next delivery is due. */
static void
wait_and_step(int64_t until)
{
	struct epoll_event ev[EVENTS_MAX];
	int64_t wait_us = until > 0 ? until - load_now() : 100000;
	struct timespec ts = { .tv_sec = wait_us / 1000000,
	    .tv_nsec = wait_us % 1000000 * 1000 };
	int n, status;

	if (wait_us < 0)
		ts = (struct timespec){ 0 };
	n = epoll_pwait2(epoll, ev, EVENTS_MAX, &ts, NULL);
	for (int i = 0; i < n; i++)
		if (load_conn_step(ev[i].data.ptr, &status) != LOAD_NOT_YET)
			finish(ev[i].data.ptr, status, load_now());
}

static void
run(void)
{
	bool warm = opt.warm_up <= 0;

	for (;;) {
		int64_t now = load_now(), next;

		if (!warm && now >= warm_us) {
			warm = true;
			load_stats_reset(now);
			puts("warm");
			fflush(stdout);
		}
		next = begin_due(now);
		if (nidle == opt.connections && next == 0 && nagain == 0)
			return;
		if (end_us != 0 && now > end_us + PATIENCE_US)
			return;
		wait_and_step(next);
	}
}

static const struct option options[] = {
	{ "port", required_argument, NULL, 'p' },
	{ "connections", required_argument, NULL, 'c' },
	{ "count", required_argument, NULL, 'n' },
	{ "seconds", required_argument, NULL, 'T' },
	{ "warm-up", required_argument, NULL, 'w' },
	{ "rate", required_argument, NULL, 'R' },
	{ "template", required_argument, NULL, 't' },
	{ "requests", required_argument, NULL, 'f' },
	{ "secret", required_argument, NULL, 's' },
	{ "path", required_argument, NULL, 'u' },
	{ "ledger", required_argument, NULL, 'l' },
	{ "duplicates", required_argument, NULL, 'd' },
	{ "prefix", required_argument, NULL, 'i' },
	{ "random-ids", no_argument, NULL, 'I' },
	{ "resend", no_argument, NULL, 'r' },
	{ "tls", no_argument, NULL, 'S' },
	{ NULL, 0, NULL, 0 }
};

static void
usage(void)
{
	fputs("usage: bench-load -t TEMPLATE | -f REQUESTS [-p PORT] [--tls]\n"
	    "  [-c CONNECTIONS] [-n COUNT | -T SECONDS] [-w WARM_UP_SECONDS]\n"
	    "  [-R RATE] [-u PATH] [-s SECRET] [-l LEDGER] [-d PERCENT]\n"
	    "  [-i evt_PREFIX] [--random-ids] [-r]\n", stderr);
	exit(2);
}

static void
parse(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "p:c:n:T:w:R:t:f:s:u:l:d:i:IrS",
	    options, NULL)) != -1)
		switch (c) {
		case 'p': opt.port = atoi(optarg); break;
		case 'c': opt.connections = atoi(optarg); break;
		case 'n': opt.count = atol(optarg); break;
		case 'T': opt.seconds = atof(optarg); break;
		case 'w': opt.warm_up = atof(optarg); break;
		case 'R': opt.rate = atof(optarg); break;
		case 't': opt.template = optarg; break;
		case 'f': opt.requests = optarg; break;
		case 's': opt.secret = optarg; break;
		case 'u': opt.path = optarg; break;
		case 'l': opt.ledger = optarg; break;
		case 'd': opt.duplicates = atoi(optarg); break;
		case 'i': opt.prefix = optarg; break;
		case 'I': opt.random_ids = true; break;
		case 'r': opt.resend = true; break;
		case 'S': opt.tls = true; break;
		default: usage();
		}
	if (opt.count == 0 && opt.seconds <= 0)
		opt.count = 10000;
	if ((opt.template == NULL) == (opt.requests == NULL) ||
	    strncmp(opt.prefix, "evt_", 4) != 0 || strlen(opt.prefix) > 32 ||
	    opt.connections < 1 || optind < argc)
		usage();
}

int
main(int argc, char **argv)
{
	parse(argc, argv);
	if (opt.ledger != NULL && (ledger = fopen(opt.ledger, "w")) == NULL) {
		perror(opt.ledger);
		return 2;
	}
	/* A constant rate needs exact waits. */
	prctl(PR_SET_TIMERSLACK, 1);
	load_event_init(&opt);
	epoll = load_conn_init(&opt);
	conns = mem_calloc((size_t)opt.connections, sizeof(*conns));
	idle = mem_calloc((size_t)opt.connections, sizeof(*idle));
	for (nidle = 0; nidle < opt.connections; nidle++) {
		load_conn_new(&conns[nidle]);
		idle[nidle] = nidle;
	}
	start_us = load_now();
	warm_us = start_us + (int64_t)(opt.warm_up * 1e6);
	end_us = opt.seconds > 0 ?
	    warm_us + (int64_t)(opt.seconds * 1e6) : 0;
	load_stats_reset(start_us);
	run();
	load_stats_report(stdout, &opt,
	    end_us != 0 ? end_us : load_now());
	if (ledger != NULL)
		fclose(ledger);
	return load_stats_ok() > 0 &&
	    (opt.count == 0 || load_stats_ok() >= opt.count) ? 0 : 1;
}
