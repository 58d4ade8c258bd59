/* Requests of the load generator: an event template, signed, or GETs. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "load.h"
#include "stripe/signature.h"

enum { HEAD_MAX = 1024, FILE_MAX = 64 << 20, PER_TICK = 8192 };

static const struct load_options *opt;
static char *text, **lines;	/* of the file; lines of requests */
static size_t text_len, nlines;
static struct { const char *p; size_t len; } part[64];	/* around the ids */
static size_t nparts;
static struct timespec epoch;	/* of this load */

static void
slurp(const char *path)
{
	FILE *f = fopen(path, "rb");

	text = mem_calloc(1, FILE_MAX);
	if (f == NULL) {
		perror(path);
		exit(2);
	}
	text_len = fread(text, 1, FILE_MAX - 1, f);
	fclose(f);
}

static void
split_template(void)
{
	char *at = text, *next;

	while ((next = strstr(at, "@N")) != NULL && nparts < 63) {
		part[nparts].p = at;
		part[nparts++].len = (size_t)(next - at);
		at = next + 2;
	}
	part[nparts].p = at;
	part[nparts++].len = text_len - (size_t)(at - text);
}

static void
split_lines(void)
{
	char *save = NULL;

	for (char *s = strtok_r(text, "\n", &save); s != NULL;
	    s = strtok_r(NULL, "\n", &save)) {
		lines = mem_reallocarray(lines, nlines + 1, sizeof(*lines));
		lines[nlines++] = s;
	}
	if (nlines == 0) {
		fprintf(stderr, "%s: no request in it\n", opt->requests);
		exit(2);
	}
}

void
load_event_init(const struct load_options *options)
{
	opt = options;
	clock_gettime(CLOCK_REALTIME, &epoch);
	slurp(opt->requests != NULL ? opt->requests : opt->template);
	if (opt->requests != NULL)
		split_lines();
	else
		split_template();
}

static char *
base62(char *to, uint64_t n, int digits)
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz";

	for (int i = digits; i-- > 0; n /= 62)
		to[i] = digit[n % 62];
	return to + digits;
}

/* One to one, and looks random (splitmix64). */
static uint64_t
scatter(uint64_t n)
{
	n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
	return n ^ (n >> 31);
}

/*
 * As Stripe's: a 1, the time, the account, chance. Ids of one moment lie
 * together, in no order; or, with random_ids, nowhere together.
 */
static void
id_tail(char *to, long number)
{
	uint64_t tick = (uint64_t)epoch.tv_sec + (uint64_t)number / PER_TICK;
	uint64_t load = (uint64_t)epoch.tv_nsec << 32;
	const char *prefix = opt->prefix + strlen("evt_");
	char *at = to;

	*at++ = '1';
	if (!opt->random_ids)
		at = base62(at, tick, 6);
	at = base62(at, scatter((uint64_t)number ^ load), 11);
	if (opt->random_ids)
		at = base62(at, tick, 6);
	at = stpncpy(at, prefix, LOAD_ID_MAX - 32);
	*at = '\0';
}

void
load_id(char to[LOAD_ID_MAX], long number)
{
	memcpy(to, "evt_", 4);
	id_tail(to + 4, number);
}

size_t
load_request_max(void)
{
	return (opt->requests != NULL ? 0 : text_len) +
	    64 * LOAD_ID_MAX + HEAD_MAX;
}

static size_t
get(char *to, long number)
{
	const char *line = lines[(size_t)number % nlines];
	size_t path = strcspn(line, " ");

	return (size_t)snprintf(to, HEAD_MAX, "GET %.*s HTTP/1.1\r\n"
	    "Host: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
	    (int)path, line, line[path] == ' ' ? line + path + 1 : "");
}

static size_t
make_body(char *to, long number)
{
	char id[LOAD_ID_MAX], *at = to;
	size_t len;

	id_tail(id, number);
	len = strlen(id);
	for (size_t i = 0; i < nparts; i++) {
		if (i > 0)
			at = mempcpy(at, id, len);
		at = mempcpy(at, part[i].p, part[i].len);
	}
	return (size_t)(at - to);
}

/* The head's length is known only once the body is: so the body goes first. */
size_t
load_request(char *to, long number)
{
	char hex[SIGNATURE_HEX + 1], head[HEAD_MAX], *body = to + HEAD_MAX;
	int64_t now = time(NULL);
	size_t len;
	int n;

	if (opt->requests != NULL)
		return get(to, number);
	len = make_body(body, number);
	if (signature_make(hex, now, body, len, opt->secret,
	    strlen(opt->secret)) != 0)
		exit(2);
	n = snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\n"
	    "Host: localhost\r\n"
	    "Content-Type: application/json; charset=utf-8\r\n"
	    "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"
	    "Content-Length: %zu\r\nStripe-Signature: t=%" PRId64
	    ",v1=%s\r\n\r\n", opt->path, len, now, hex);
	memcpy(to, head, (size_t)n);
	memmove(to + n, body, len);
	return (size_t)n + len;
}
