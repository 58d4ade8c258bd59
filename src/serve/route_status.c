/* GET /api/webhooks/status/{id}: who asks for what, and may they. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/cors.h"
#include "http/reply.h"
#include "serve/routes.h"
#include "serve/status_int.h"

enum {
	POLLS_MAX = 4096,	/* beside those that wait */
	PHASES = 64,		/* of the ends of streams */
	PHASE_STEP = 37		/* so that a few differ much, too */
};

/* What is asked, by whom, and how it is to be told. */
struct question {
	enum object_kind kind;
	const char *id;
	struct credential credential;
	enum ask ask;
	int64_t wait_s;
	char seen[ETAG_LEN + 1];
	bool conditional, resumed;
};

/* An ETag as a header or a query has it: quotes, or %22, or none. */
static void
read_etag(char etag[ETAG_LEN + 1], const char *text)
{
	const char *quote = strchr(text, '"');

	if (quote != NULL)
		text = quote + 1;
	else if (strncasecmp(text, "%22", 3) == 0)
		text += 3;
	/* What isn't one of ours differs from every state. */
	snprintf(etag, ETAG_LEN + 1, "%.*s", (int)strcspn(text, "\"%&, "),
	    text);
}

/* wait=SECONDS and after=ETAG; other parameters are let be. */
static enum outcome
read_query(struct question *q, const char *query)
{
	const char *p = query;
	char *end;

	for (; *p != '\0'; p += strcspn(p, "&"), p += *p == '&') {
		if (strncmp(p, "after=", 6) == 0) {
			read_etag(q->seen, p + 6);
		} else if (strncmp(p, "wait=", 5) == 0) {
			errno = 0;
			q->wait_s = strtol(p + 5, &end, 10);
			if (p[5] < '0' || p[5] > '9' || errno != 0 ||
			    (*end != '&' && *end != '\0'))
				return OUT_BAD_QUERY;
		}
	}
	return OUT_OK;
}

static enum outcome
read_wish(struct question *q, const struct request *req, int64_t wait_max)
{
	enum outcome out;

	q->wait_s = -1;
	if ((out = read_query(q, req->query)) != OUT_OK)
		return out;
	if (strcmp(req->method, "HEAD") == 0 || q->wait_s == 0)
		q->ask = ASK_POLL;
	else if (req->accept != NULL &&
	    strstr(req->accept, "text/event-stream") != NULL)
		q->ask = ASK_STREAM;
	else if (q->wait_s > 0 || q->seen[0] != '\0')
		q->ask = ASK_WAIT;
	if (q->ask == ASK_STREAM && req->last_event_id != NULL) {
		q->resumed = true;
		read_etag(q->seen, req->last_event_id);
	} else if (q->seen[0] == '\0' && req->if_none_match != NULL) {
		q->conditional = q->ask != ASK_STREAM;
		read_etag(q->seen, req->if_none_match);
	}
	if (q->wait_s < 0 || q->wait_s > wait_max)
		q->wait_s = wait_max;
	return OUT_OK;
}

static void
reply(FCGX_Request *r, const struct reply *reply)
{
	struct conn c;

	conn_take(&c, r);
	if (conn_reply(&c, reply) != 0)
		metrics_add(METRIC_REPLIES_LOST, 1);
}

static void
refuse(FCGX_Request *r, enum outcome out, const char *cors)
{
	const struct outcome_info *info = &outcome_table[out];
	char headers[CORS_MAX + 128], body[ERROR_BODY_MAX];
	struct reply refusal = { .status = info->http,
	    .type = "application/json", .headers = headers, .body = body };

	snprintf(headers, sizeof(headers), "%sCache-Control: no-store\r\n%s",
	    cors, info->http == 503 ? "Retry-After: 1\r\n" :
	    info->http == 401 ? "WWW-Authenticate: Bearer\r\n" :
	    out == OUT_METHOD ? "Allow: GET, HEAD, OPTIONS\r\n" : "");
	refusal.body_len = (size_t)reply_body(body, out);
	metrics_outcome(out);
	log_line(info->level, "status: %s", info->code);
	reply(r, &refusal);
}

static void
answer_preflight(FCGX_Request *r, const struct request *req,
    const struct config *cfg)
{
	char cors[CORS_MAX], headers[CORS_MAX + 64];

	cors_headers(cors, req->origin, &cfg->allowed_origins, true);
	snprintf(headers, sizeof(headers), "%sAllow: GET, HEAD, OPTIONS\r\n",
	    cors);
	metrics_outcome(OUT_OK);
	reply(r, &(struct reply){ .status = 204, .headers = headers,
	    .body = "" });
}

/*
 * When a wait is over. Streams that began at once, after a reload say, don't
 * end at once: each would bring all of them back, for ever.
 */
static int64_t
end_of(struct status *s, const struct question *q, int64_t now_ms)
{
	int64_t ms = q->wait_s * 1000;

	if (q->ask == ASK_STREAM)
		ms -= ms / 8 * (s->streams++ * PHASE_STEP % PHASES) / PHASES;
	return now_ms + ms;
}

/* Takes it in: it is answered when the watcher has looked. */
static void
take_in(struct status *s, FCGX_Request *r, const struct request *req,
    const struct question *q)
{
	struct parked *p = parked_add(&s->table, q->ask);
	int64_t now = clock_ms();

	p->kind = q->kind;
	p->credential = q->credential;
	p->id = mem_strdup(q->id);
	p->origin = req->origin != NULL ? mem_strdup(req->origin) : NULL;
	p->asked_us = req->accepted_us;
	p->tick_ms = now + TICK_MS;
	p->end_ms = end_of(s, q, now);
	memcpy(p->seen, q->seen, sizeof(p->seen));
	p->conditional = q->conditional;
	p->resumed = q->resumed;
	conn_take(&p->conn, r);
	parked_queue(&s->table, p);
	if (q->ask == ASK_POLL)
		return;
	parked_follow(&s->table, p, p->id);
	parked_follow(&s->table, p, p->credential.owner);
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, p->conn.fd,
	    &(struct epoll_event){ .events = EPOLLRDHUP, .data.ptr = p }) != 0)
		log_line(LOG_WARNING, "epoll: %s", strerror(errno));
}

static enum outcome
read_question(struct question *q, const struct request *req,
    const struct status *s)
{
	enum outcome out;

	*q = (struct question){ .id = req->path + strlen(STATUS_PATH) };
	if (strcmp(req->method, "GET") != 0 && strcmp(req->method, "HEAD") != 0)
		return OUT_METHOD;
	if (!state_kind(q->id, strlen(q->id), &q->kind))
		return OUT_BAD_ID;
	if ((out = credential_read(&q->credential, req->authorization, q->kind,
	    q->id, clock_wall_us() / 1000000, &s->cfg->status_keys)) == OUT_OK)
		out = read_wish(q, req, s->cfg->status_wait_max);
	/* A full table answers like a poll. */
	if (s->leaving || s->table.waiting >= (size_t)s->cfg->status_slots)
		q->ask = ASK_POLL;
	if (out == OUT_OK && q->ask == ASK_POLL &&
	    s->table.n - s->table.waiting >= POLLS_MAX)
		out = OUT_QUEUE_FULL;
	return out;
}

void
status_ask(struct status *s, FCGX_Request *r, const struct request *req)
{
	char cors[CORS_MAX];
	struct question q;
	enum outcome out;

	if (strcmp(req->method, "OPTIONS") == 0) {
		answer_preflight(r, req, s->cfg);
	} else if ((out = read_question(&q, req, s)) == OUT_OK) {
		take_in(s, r, req, &q);
	} else {
		cors_headers(cors, req->origin, &s->cfg->allowed_origins,
		    false);
		refuse(r, out, cors);
	}
}
