/*
 * Waiting front ends: very many connections parked on the status route, and
 * how long it takes until one of them is told what a delivery has changed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "park.h"

enum {
	EVENTS_MAX = 256,
	DIALS_MAX = 200,	/* connections being made at a time */
	LOST_US = 10000000,	/* a change that nobody was told of by then */
	REST_US = 1000000,	/* before who was refused asks again */
	CHANGES_MAX = 1000000
};

struct conn {
	int fd;
	long i;			/* which object; -1: the deliverer */
	bool parked, dialing;
	int64_t sent_us;	/* of the change it is to be told, or 0 */
	int64_t rest_us;	/* until when it doesn't ask */
	struct park_answer answer;
};

static struct park_options opt = { .port = 8000, .connections = 1000,
    .seconds = 10, .rate = 20 };
static struct conn *waiting, deliverer = { .fd = -1, .i = -1 };
static int epoll;
static long nparked, ndialing, parked_max, asked, refused, broken, told;
static long changes, lost, nlatencies, nanswered;
static long by_status[600];
static uint32_t *latency, *after_answer;	/* of the changes told */
static struct conn *changing;		/* by the delivery in hand */
static int64_t answered_us;
static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int
dial(struct conn *c)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)opt.port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0) {
		perror("connect");
		exit(1);
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return c->fd;
}

static void
hang_up(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	nparked -= c->parked;
	ndialing -= c->dialing;
	c->parked = c->dialing = false;
}

static void
ask(struct conn *c)
{
	char request[PARK_REQUEST_MAX];
	size_t len = park_ask(request, &opt, c->i, c->answer.state);

	if (c->fd < 0)
		dial(c);
	park_answer_begin(&c->answer);
	asked++;
	/* A request is shorter than an empty socket's buffer. */
	if (send(c->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		hang_up(c);
	else
		c->dialing = ++ndialing > 0;
}

/* A long poll counts as parked while it isn't answered. */
static void
park(struct conn *c)
{
	if (c->parked)
		return;
	ndialing -= c->dialing;
	c->dialing = false;
	c->parked = true;
	if (++nparked > parked_max)
		parked_max = nparked;
}

static void
be_told(struct conn *c)
{
	int64_t now = now_us();

	told++;
	if (c->sent_us == 0 || nlatencies == CHANGES_MAX)
		return;
	after_answer[nlatencies] = c == changing ? 0 :
	    (uint32_t)(now - answered_us);
	latency[nlatencies++] = (uint32_t)(now - c->sent_us);
	c->sent_us = 0;
}

static void
waiting_step(struct conn *c, const char *p, size_t n)
{
	unsigned before = c->answer.events;

	park_answer_feed(&c->answer, p, n);
	if (c->answer.stream)
		park(c);
	if (c->answer.events > before)
		be_told(c);
	if (!c->answer.ended)
		return;
	by_status[c->answer.status > 0 && c->answer.status < 600 ?
	    c->answer.status : 0]++;
	nparked -= c->parked;
	ndialing -= c->dialing;
	c->parked = c->dialing = false;
	if (c->answer.status != 200) {
		refused++;
		c->rest_us = now_us() + REST_US;
	}
	if (c->answer.closes || c->answer.status != 200)
		hang_up(c);
}

static void
deliverer_step(struct conn *c, const char *p, size_t n)
{
	park_answer_feed(&c->answer, p, n);
	if (!c->answer.ended)
		return;
	answered_us = now_us();
	nanswered++;
	if (c->answer.status != 200)
		changing->sent_us = 0;
	changing = NULL;
	if (c->answer.closes)
		hang_up(c);
}

static void
step(struct conn *c)
{
	char in[16384];
	ssize_t n = c->fd < 0 ? 0 : recv(c->fd, in, sizeof(in), MSG_DONTWAIT);

	if (n > 0 && c->i < 0) {
		deliverer_step(c, in, (size_t)n);
	} else if (n > 0) {
		waiting_step(c, in, (size_t)n);
	} else if (n == 0 || errno != EAGAIN) {
		broken += !c->answer.ended;
		c->rest_us = now_us() + (c->answer.ended ? 0 : REST_US);
		hang_up(c);
		if (c->i < 0)
			changing = NULL;
	}
}

/* One delivery at a time, for one who waits and has been told the last. */
static void
change(void)
{
	struct conn *c = &waiting[rand() % opt.connections];
	char request[PARK_REQUEST_MAX];
	size_t len;

	if (changing != NULL || !c->parked)
		return;
	if (c->sent_us != 0) {
		if (now_us() - c->sent_us < LOST_US)
			return;
		lost++;
	}
	if (deliverer.fd < 0)
		dial(&deliverer);
	len = park_change(request, &opt, c->i, ++changes);
	park_answer_begin(&deliverer.answer);
	changing = c;
	c->sent_us = now_us();
	if (send(deliverer.fd, request, len, MSG_NOSIGNAL) != (ssize_t)len) {
		hang_up(&deliverer);
		changing = NULL;
		c->sent_us = 0;
	}
}

static void
wait_and_step(int ms)
{
	struct epoll_event ev[EVENTS_MAX];
	int n = epoll_wait(epoll, ev, EVENTS_MAX, ms);

	for (int i = 0; i < n; i++)
		step(ev[i].data.ptr);
}

/* Who isn't connected or was answered asks again. */
static void
ask_all(void)
{
	static int at;
	int64_t now = now_us();

	for (int k = 0; k < opt.connections && ndialing < DIALS_MAX; k++) {
		struct conn *c = &waiting[at++ % opt.connections];

		if (!c->parked && !c->dialing && now >= c->rest_us)
			ask(c);
		/* Nothing tells that a long poll waits but that it isn't
		   answered at once. */
		else if (opt.wait && c->dialing)
			park(c);
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
print_quantiles(const char *name, uint32_t *list)
{
	long n = nlatencies;

	qsort(list, (size_t)n, sizeof(*list), compare);
	if (n > 0)
		printf(",\"%s\":{\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u}",
		    name, list[n / 2], list[n * 99 / 100], list[n - 1]);
}

/* Who waits for news of a delivery, answered or not. */
static long
untold(void)
{
	long n = 0;

	for (int i = 0; i < opt.connections; i++)
		n += waiting[i].sent_us != 0;
	return n;
}

static void
report(double seconds)
{
	const char *comma = "";

	lost += untold() - (changing != NULL && changing->sent_us != 0);
	printf("{\"parked\":%ld,\"parked_max\":%ld,\"seconds\":%.1f,"
	    "\"asked\":%ld,\"told\":%ld,\"changes\":%ld,\"lost\":%ld,"
	    "\"refused\":%ld,\"broken\":%ld", nparked, parked_max, seconds,
	    asked, told, nanswered, lost, refused, broken);
	print_quantiles("delivery_to_push", latency);
	print_quantiles("answer_to_push", after_answer);
	fputs(",\"ended\":{", stdout);
	for (int s = 0; s < 600; s++)
		if (by_status[s] > 0) {
			printf("%s\"%d\":%ld", comma, s, by_status[s]);
			comma = ",";
		}
	puts("}}");
}

/* Parks all, says so, then stays and lets things change. */
static void
run(void)
{
	int64_t begin = now_us(), all = 0, next = 0, end = 0;

	while (!stopped && (all == 0 || now_us() < end)) {
		ask_all();
		wait_and_step(all == 0 ? 20 : 1);
		if (all == 0 && nparked >= opt.connections) {
			all = next = now_us();
			end = all + (int64_t)(opt.seconds * 1e6);
			printf("{\"parking_seconds\":%.2f}\n",
			    (double)(all - begin) / 1e6);
			fflush(stdout);
		}
		if (all != 0 && opt.rate > 0 && now_us() >= next) {
			change();
			next += (int64_t)(1e6 / opt.rate);
		}
	}
	/* The last delivery's news are on their way. */
	end = now_us() + REST_US;
	while (untold() > 0 && now_us() < end)
		wait_and_step(20);
	report((double)(now_us() - begin) / 1e6);
}

static void
parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "p:c:s:k:T:R:w")) != -1)
		switch (c) {
		case 'p': opt.port = atoi(optarg); break;
		case 'c': opt.connections = atoi(optarg); break;
		case 's': opt.secret = optarg; break;
		case 'k': opt.status_key = optarg; break;
		case 'T': opt.seconds = atof(optarg); break;
		case 'R': opt.rate = atof(optarg); break;
		case 'w': opt.wait = true; break;
		default: optind = argc + 1;
		}
	if (optind != argc || opt.secret == NULL || opt.status_key == NULL ||
	    opt.connections < 1) {
		fputs("usage: bench-park -s SECRET -k STATUS_KEY [-p PORT] "
		    "[-c CONNECTIONS]\n  [-w (long polls)] [-T SECONDS] "
		    "[-R CHANGES_PER_SECOND]\n", stderr);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	struct rlimit files;

	parse(argc, argv);
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	latency = mem_calloc(CHANGES_MAX, sizeof(*latency));
	after_answer = mem_calloc(CHANGES_MAX, sizeof(*after_answer));
	waiting = mem_calloc((size_t)opt.connections, sizeof(*waiting));
	for (int i = 0; i < opt.connections; i++) {
		waiting[i].fd = -1;
		waiting[i].i = i;
	}
	run();
	return parked_max >= opt.connections && lost == 0 ? 0 : 1;
}
