/*
 * Load: signed deliveries of an event template, each with ids of its own, over
 * many connections of one thread, with a ledger of what was answered 2xx.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "stripe/signature.h"

enum { BODY_MAX = 1 << 21, ANSWER_MAX = 4096, ID_WIDTH = 12 };

struct options {
	const char *template, *secret, *path, *ledger, *prefix;
	int port, connections;
	long count, duplicates;		/* percent of deliveries repeated */
	bool resend;			/* until each is answered 2xx */
};

struct conn {
	int fd;
	char *out;		/* request, headers and body */
	size_t out_len, out_done;
	char in[ANSWER_MAX];
	size_t in_len;
	long number;		/* the event in hand, -1 if none */
	int64_t start_us;
};

static struct options opt = { .secret = "whsec_test_secret", .port = 8000,
    .path = "/api/webhooks/stripe/", .connections = 64, .count = 10000,
    .prefix = "evt_load" };
static char *template;
static size_t template_len;
static long next_event, done, ok, errors, by_status[600];
static long *again;		/* events to send once more */
static size_t nagain;
static uint32_t *latency;
static FILE *ledger;

static char *
slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *text = malloc(BODY_MAX);

	if (f == NULL || text == NULL) {
		perror(path);
		exit(2);
	}
	*len = fread(text, 1, BODY_MAX - 1, f);
	text[*len] = '\0';
	fclose(f);
	return text;
}

/* The template with each @N replaced by the prefix and the event's number. */
static size_t
make_body(char *to, long number)
{
	size_t n = 0;

	for (size_t i = 0; i < template_len; i++)
		if (template[i] == '@' && template[i + 1] == 'N') {
			n += (size_t)sprintf(to + n, "%s%0*ld", opt.prefix + 4,
			    ID_WIDTH, number);
			i++;
		} else {
			to[n++] = template[i];
		}
	return n;
}

static void
connect_to(struct conn *c)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)opt.port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&sin, sizeof(sin)) != 0) {
		if (c->fd >= 0)
			close(c->fd);
		c->fd = -1;
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static long
pick(void)
{
	if (nagain > 0)
		return again[--nagain];
	if (opt.duplicates > 0 && next_event > 0 &&
	    rand() % 100 < opt.duplicates)
		return rand() % next_event;
	return next_event < opt.count ? next_event++ : -1;
}

static void
begin(struct conn *c, long number)
{
	static char body[BODY_MAX];
	size_t len = make_body(body, number);
	char hex[SIGNATURE_HEX + 1];
	int64_t now = time(NULL);
	int n;

	if (signature_make(hex, now, body, len, opt.secret,
	    strlen(opt.secret)) != 0)
		exit(2);
	n = sprintf(c->out, "POST %s HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Type: application/json; charset=utf-8\r\n"
	    "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"
	    "Content-Length: %zu\r\nStripe-Signature: t=%" PRId64
	    ",v1=%s\r\n\r\n", opt.path, len, now, hex);
	memcpy(c->out + n, body, len);
	c->out_len = (size_t)n + len;
	c->out_done = c->in_len = 0;
	c->number = number;
	c->start_us = clock_wall_us();
}

static void
finish(struct conn *c, int status)
{
	latency[done++ % (opt.count * 2)] =
	    (uint32_t)(clock_wall_us() - c->start_us);
	by_status[status]++;
	if (status / 100 == 2) {
		ok++;
		if (ledger != NULL)
			fprintf(ledger, "%s%0*ld\n", opt.prefix, ID_WIDTH,
			    c->number);
	} else {
		if (status == 0)
			errors++;
		if (opt.resend) {
			again[nagain++] = c->number;
			usleep(2000);
		}
	}
	c->number = -1;
}

static void
broken(struct conn *c)
{
	close(c->fd);
	c->fd = -1;
	finish(c, 0);
}

/* Whether the whole answer is there: head and Content-Length bytes. */
static bool
complete(const struct conn *c)
{
	const char *end = strstr(c->in, "\r\n\r\n"), *len;

	if (end == NULL)
		return false;
	len = strcasestr(c->in, "content-length:");
	return len != NULL && len < end &&
	    c->in_len >= (size_t)(end - c->in) + 4 +
	    strtoul(len + 15, NULL, 10);
}

static void
step(struct conn *c, short revents)
{
	ssize_t n;

	if ((revents & POLLOUT) != 0 && c->out_done < c->out_len) {
		n = send(c->fd, c->out + c->out_done,
		    c->out_len - c->out_done, MSG_NOSIGNAL);
		if (n < 0) {
			broken(c);
			return;
		}
		c->out_done += (size_t)n;
	}
	if ((revents & (POLLIN | POLLHUP | POLLERR)) == 0)
		return;
	n = recv(c->fd, c->in + c->in_len, ANSWER_MAX - 1 - c->in_len, 0);
	if (n <= 0) {
		broken(c);
		return;
	}
	c->in_len += (size_t)n;
	c->in[c->in_len] = '\0';
	if (complete(c)) {
		int status = atoi(c->in + 9);
		bool closes = strcasestr(c->in, "connection: close") != NULL;

		finish(c, status > 0 && status < 600 ? status : 0);
		if (closes) {
			close(c->fd);
			c->fd = -1;
		}
	}
}

static void
run(struct conn *conns, struct pollfd *pfds)
{
	for (;;) {
		int active = 0;

		for (int i = 0; i < opt.connections; i++) {
			struct conn *c = &conns[i];
			long number;

			if (c->number < 0 && (number = pick()) >= 0) {
				if (c->fd < 0)
					connect_to(c);
				begin(c, number);
				if (c->fd < 0)
					finish(c, 0);
			}
			pfds[i].fd = c->number >= 0 ? c->fd : -1;
			pfds[i].events = POLLIN |
			    (c->out_done < c->out_len ? POLLOUT : 0);
			active += c->number >= 0;
		}
		if (active == 0 && nagain == 0 && next_event >= opt.count)
			return;
		if (poll(pfds, (nfds_t)opt.connections, 1000) < 0)
			return;
		for (int i = 0; i < opt.connections; i++)
			if (pfds[i].fd >= 0 && pfds[i].revents != 0)
				step(&conns[i], pfds[i].revents);
	}
}

static int
compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
report(int64_t us)
{
	size_t n = (size_t)(done < opt.count * 2 ? done : opt.count * 2);

	qsort(latency, n, sizeof(*latency), compare_u32);
	printf("{\"events\":%ld,\"answers\":%ld,\"ok\":%ld,\"errors\":%ld,"
	    "\"seconds\":%.3f,\"rate\":%.1f", opt.count, done, ok, errors,
	    (double)us / 1e6, (double)done / ((double)us / 1e6));
	if (n > 0)
		printf(",\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u",
		    latency[n / 2], latency[n * 99 / 100], latency[n - 1]);
	fputs(",\"status\":{", stdout);
	for (int s = 0, first = 1; s < 600; s++)
		if (by_status[s] > 0) {
			printf("%s\"%d\":%ld", first ? "" : ",", s,
			    by_status[s]);
			first = 0;
		}
	puts("}}");
}

static void
parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "p:c:n:s:t:u:l:d:i:r")) != -1)
		switch (c) {
		case 'p': opt.port = atoi(optarg); break;
		case 'c': opt.connections = atoi(optarg); break;
		case 'n': opt.count = atol(optarg); break;
		case 's': opt.secret = optarg; break;
		case 't': opt.template = optarg; break;
		case 'u': opt.path = optarg; break;
		case 'l': opt.ledger = optarg; break;
		case 'd': opt.duplicates = atol(optarg); break;
		case 'i': opt.prefix = optarg; break;
		case 'r': opt.resend = true; break;
		default: exit(2);
		}
	if (opt.template == NULL || strncmp(opt.prefix, "evt_", 4) != 0 ||
	    opt.connections < 1 || opt.count < 1) {
		fputs("usage: load -t TEMPLATE [-p PORT] [-c CONNECTIONS] "
		    "[-n COUNT] [-s SECRET] [-u PATH] [-l LEDGER] "
		    "[-d PERCENT] [-i evt_PREFIX] [-r]\n", stderr);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	struct conn *conns;
	struct pollfd *pfds;
	int64_t start;

	parse(argc, argv);
	template = slurp(opt.template, &template_len);
	if (opt.ledger != NULL && (ledger = fopen(opt.ledger, "w")) == NULL) {
		perror(opt.ledger);
		return 2;
	}
	conns = mem_calloc((size_t)opt.connections, sizeof(*conns));
	pfds = mem_calloc((size_t)opt.connections, sizeof(*pfds));
	latency = mem_calloc((size_t)opt.count * 2, sizeof(*latency));
	again = mem_calloc((size_t)opt.count * 2 + (size_t)opt.connections,
	    sizeof(*again));
	for (int i = 0; i < opt.connections; i++) {
		conns[i].out = mem_calloc(1, template_len * 2 + 65536);
		conns[i].number = -1;
		conns[i].fd = -1;
	}
	start = clock_wall_us();
	run(conns, pfds);
	report(clock_wall_us() - start);
	if (ledger != NULL)
		fclose(ledger);
	return ok >= opt.count ? 0 : 1;
}
