/*
 * Tells who asked what is known: at once, on the tick, when it changes, or at
 * the end of the wait.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/cors.h"
#include "http/reply.h"
#include "serve/status_int.h"

enum {
	BEAT_MS = 15000,	/* between signs of life, at most */
	RETRY_MS = 1000,	/* when a client of a stream comes back */
	POLL_S = 2		/* when one that polls should */
};

static void
finish(struct status *s, struct parked *p, enum outcome out)
{
	int64_t us = clock_wall_us() - p->asked_us;

	metrics_outcome(out);
	if (p->ask == ASK_POLL)
		metrics_observe(HIST_REQUEST, us > 0 ? (uint64_t)us : 0);
	log_line(outcome_table[out].level, "status %s: %s, %lld.%03lld ms",
	    p->ask == ASK_READY ? "readyz" : p->id, outcome_table[out].code,
	    (long long)(us / 1000), (long long)(us % 1000));
	parked_remove(&s->table, p);
}

static void
send(struct parked *p, const struct reply *reply)
{
	if (conn_reply(&p->conn, reply) != 0)
		metrics_add(METRIC_REPLIES_LOST, 1);
}

static void
cors_of(char headers[CORS_MAX], const struct status *s, const struct parked *p)
{
	cors_headers(headers, p->origin, &s->cfg->allowed_origins, false);
}

/* The whole answer to a poll, or to a wait that is over. */
static void
tell_all(struct status *s, struct parked *p)
{
	char cors[CORS_MAX], headers[CORS_MAX + 128], retry[32] = "";
	struct reply reply = { .status = 200, .type = "application/json",
	    .headers = headers, .body = p->json,
	    .body_len = strlen(p->json) };
	enum outcome out = p->out;

	cors_of(cors, s, p);
	if (!p->final)
		snprintf(retry, sizeof(retry), "Retry-After: %d\r\n", POLL_S);
	snprintf(headers, sizeof(headers), "%sETag: \"%s\"\r\n"
	    "Cache-Control: no-store\r\n%s", cors, p->etag, retry);
	if (p->conditional && strcmp(p->seen, p->etag) == 0) {
		reply.status = 304;
		reply.type = NULL;
		reply.body_len = 0;
		out = p->out == OUT_OK ? OUT_NOT_MODIFIED : p->out;
	}
	send(p, &reply);
	finish(s, p, out);
}

/* Nothing will come any more of what this stream was told before. */
static void
tell_the_end(struct status *s, struct parked *p)
{
	char cors[CORS_MAX];

	cors_of(cors, s, p);
	send(p, &(struct reply){ .status = 204, .headers = cors,
	    .body = "" });
	finish(s, p, OUT_NOT_MODIFIED);
}

/* When a quiet stream has its next sign of life, counted back from its end. */
static void
set_beat(struct parked *p, int64_t now_ms)
{
	p->beat_ms = p->end_ms -
	    (p->end_ms - now_ms - 1) / BEAT_MS * BEAT_MS;
}

static int
begin_stream(struct status *s, struct parked *p, int64_t now_ms)
{
	char cors[CORS_MAX], headers[CORS_MAX + 128], retry[32];
	struct reply head = { .status = 200, .type = "text/event-stream",
	    .headers = headers, .body = retry };

	cors_of(cors, s, p);
	/* A proxy that compresses (Next.js does) would hold events back. */
	snprintf(headers, sizeof(headers),
	    "%sCache-Control: no-store, no-transform\r\n"
	    "X-Accel-Buffering: no\r\n", cors);
	head.body_len = (size_t)snprintf(retry, sizeof(retry),
	    "retry: %d\n\n", RETRY_MS);
	p->begun = true;
	set_beat(p, now_ms);
	return conn_begin(&p->conn, &head);
}

/* An event of the stream: the JSON is one line. */
static int
send_event(struct parked *p)
{
	char *text;
	int n = asprintf(&text, "id: %s\ndata: %s\n\n", p->etag, p->json), rc;

	if (n < 0)
		abort();
	memcpy(p->seen, p->etag, sizeof(p->seen));
	metrics_add(METRIC_PUSHED, 1);
	rc = conn_send(&p->conn, text, (size_t)n);
	free(text);
	return rc;
}

static void
tell_stream(struct status *s, struct parked *p, int64_t now_ms)
{
	bool news = strcmp(p->seen, p->etag) != 0 || (p->final && !p->begun);

	if (!p->begun && p->final && p->resumed &&
	    strcmp(p->seen, p->etag) == 0) {
		tell_the_end(s, p);
		return;
	}
	if ((!p->begun && begin_stream(s, p, now_ms) != 0) ||
	    (news && send_event(p) != 0)) {
		status_abandon(s, p);
		return;
	}
	if (p->final || now_ms >= p->end_ms) {
		conn_end(&p->conn);
		finish(s, p, p->out == OUT_OK ? OUT_STREAM : p->out);
	} else if (now_ms >= p->beat_ms) {
		set_beat(p, now_ms);
		if (conn_send(&p->conn, ": \n\n", 4) != 0)
			status_abandon(s, p);
	}
}

static void
tell_wait(struct status *s, struct parked *p, int64_t now_ms)
{
	bool news = p->seen[0] != '\0' ? strcmp(p->seen, p->etag) != 0 :
	    !p->pending;

	if (!news && !p->final && now_ms < p->end_ms)
		return;
	metrics_add(METRIC_PUSHED, news);
	tell_all(s, p);
}

void
status_tell(struct status *s, struct parked *p, int64_t now_ms)
{
	/* Time must not tell who is unknown from who presents a wrong secret. */
	if (p->json == NULL || (p->out != OUT_OK && now_ms < p->tick_ms))
		return;
	if (p->ask == ASK_STREAM)
		tell_stream(s, p, now_ms);
	else if (p->ask == ASK_WAIT)
		tell_wait(s, p, now_ms);
	else
		tell_all(s, p);
}

void
status_refuse(struct status *s, struct parked *p, enum outcome out)
{
	char cors[CORS_MAX], headers[CORS_MAX + 128], body[ERROR_BODY_MAX];
	struct reply reply = { .status = outcome_table[out].http,
	    .type = "application/json", .headers = headers, .body = body,
	    .body_len = (size_t)reply_body(body, out) };

	cors_of(cors, s, p);
	snprintf(headers, sizeof(headers), "%sCache-Control: no-store\r\n"
	    "Retry-After: %d\r\n", cors, RETRY_AFTER);
	if (p->begun)
		conn_end(&p->conn);
	else
		send(p, &reply);
	finish(s, p, out);
}

void
status_send_off(struct status *s, struct parked *p)
{
	if (p->begun) {
		conn_end(&p->conn);
		finish(s, p, OUT_STREAM);
	} else if (p->json != NULL && p->ask != ASK_STREAM) {
		tell_all(s, p);
	} else {
		status_refuse(s, p, OUT_NOT_READY);
	}
}

void
status_abandon(struct status *s, struct parked *p)
{
	finish(s, p, OUT_ABANDONED);
}
