/* Requests of waiting front ends, and a reader of what they are told. */
#include "park.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "stripe/signature.h"
#include "stripe/token.h"

enum { TTL = 3600, WAIT = 55 };

/* New objects in each run, so that what they are told is of this one. */
static void
object_id(char id[PARK_ID_MAX], long i)
{
	snprintf(id, PARK_ID_MAX, "pi_3Park%07ldB7WZ01zgkW%06ld",
	    (long)getpid(), i);
}

size_t
park_ask(char to[PARK_REQUEST_MAX], const struct park_options *opt, long i,
    const char *last)
{
	char id[PARK_ID_MAX], token[TOKEN_MAX], query[128] = "";

	object_id(id, i);
	if (token_make(token, id, time(NULL) + TTL, opt->status_key) != 0)
		exit(2);
	if (opt->wait)
		snprintf(query, sizeof(query), "?wait=%d%s%s", WAIT,
		    last[0] != '\0' ? "&after=" : "", last);
	else if (last[0] != '\0')
		snprintf(query, sizeof(query), "?after=%s", last);
	return (size_t)snprintf(to, PARK_REQUEST_MAX,
	    "GET /api/webhooks/status/%s%s HTTP/1.1\r\nHost: localhost\r\n"
	    "Authorization: Bearer %s\r\nAccept: %s\r\n\r\n", id, query, token,
	    opt->wait ? "application/json" : "text/event-stream");
}

/* Neither state is final, and each change is a second newer. */
size_t
park_change(char to[PARK_REQUEST_MAX], const struct park_options *opt, long i,
    long n)
{
	static const char *const states[] = { "processing", "requires_action" };
	char id[PARK_ID_MAX], body[1024], hex[SIGNATURE_HEX + 1];
	int64_t now = time(NULL);
	const char *state = states[n % 2];
	int len;

	object_id(id, i);
	len = snprintf(body, sizeof(body), "{\"id\":\"evt_%s_%ld\",\"object\":"
	    "\"event\",\"api_version\":\"2025-08-27.basil\",\"created\":%"
	    PRId64 ",\"data\":{\"object\":{\"id\":\"%s\",\"object\":"
	    "\"payment_intent\",\"amount\":1500,\"currency\":\"usd\","
	    "\"created\":1767960000,\"customer\":null,\"livemode\":false,"
	    "\"metadata\":{},\"status\":\"%s\"}},\"livemode\":false,"
	    "\"pending_webhooks\":1,\"request\":{\"id\":null,"
	    "\"idempotency_key\":null},\"type\":\"payment_intent.%s\"}",
	    id, n, now + n, id, state, state);
	if (signature_make(hex, now, body, (size_t)len, opt->secret,
	    strlen(opt->secret)) != 0)
		exit(2);
	return (size_t)snprintf(to, PARK_REQUEST_MAX,
	    "POST /api/webhooks/stripe/ HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Type: application/json\r\nContent-Length: %d\r\n"
	    "Stripe-Signature: t=%" PRId64 ",v1=%s\r\n\r\n%s", len, now, hex,
	    body);
}

void
park_answer_begin(struct park_answer *a)
{
	a->status = 0;
	a->head_done = a->stream = a->ended = a->closes = false;
	a->left = -1;
	a->len = 0;
	a->events = 0;
}

static const char *
after(const char *line, const char *start)
{
	size_t len = strlen(start);

	return strncasecmp(line, start, len) == 0 ? line + len : NULL;
}

static void
remember(struct park_answer *a, const char *state)
{
	snprintf(a->state, sizeof(a->state), "%.*s",
	    (int)strcspn(state, "\""), state);
}

static void
head_line(struct park_answer *a)
{
	const char *v;

	if (a->status == 0) {
		a->status = strlen(a->line) > 9 ? atoi(a->line + 9) : -1;
	} else if (a->line[0] == '\0') {
		a->head_done = true;
		a->ended = a->left == 0;
	} else if ((v = after(a->line, "content-length: ")) != NULL) {
		a->left = atol(v);
	} else if (after(a->line, "content-type: text/event-stream") != NULL) {
		a->stream = true;
	} else if ((v = after(a->line, "etag: \"")) != NULL) {
		remember(a, v);
		a->events++;
	} else if (after(a->line, "connection: close") != NULL) {
		a->closes = true;
	}
}

/* Of a body in chunks, whose sizes are lines of their own here. */
static void
body_line(struct park_answer *a)
{
	const char *v;

	if ((v = after(a->line, "id: ")) != NULL)
		remember(a, v);
	else if (after(a->line, "data: ") != NULL)
		a->events++;
	else if (strcmp(a->line, "0") == 0)
		a->ended = true;
}

void
park_answer_feed(struct park_answer *a, const char *p, size_t n)
{
	for (size_t i = 0; i < n && !a->ended; i++) {
		if (a->head_done && a->left >= 0) {
			a->ended = --a->left == 0;
		} else if (p[i] == '\n') {
			if (a->len > 0 && a->line[a->len - 1] == '\r')
				a->len--;
			a->line[a->len] = '\0';
			a->len = 0;
			if (a->head_done)
				body_line(a);
			else
				head_line(a);
		} else if (a->len < sizeof(a->line) - 1) {
			a->line[a->len++] = p[i];
		}
	}
}
