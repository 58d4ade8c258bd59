/* The routes for operators and front ends: health, readiness, metrics. */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "http/reply.h"
#include "serve/routes.h"
#include "serve/status_int.h"

static struct reply
make(int status, const char *type, const char *body)
{
	return (struct reply){ .status = status, .type = type,
	    .headers = status == 503 ? "Cache-Control: no-store\r\n"
	    "Retry-After: 5\r\n" : "Cache-Control: no-store\r\n",
	    .body = body, .body_len = strlen(body) };
}

static void
send(FCGX_Request *r, const char *type, const char *body)
{
	struct reply reply = make(200, type, body);

	metrics_outcome(OUT_OK);
	if (reply_send(r, &reply) != 0)
		metrics_add(METRIC_REPLIES_LOST, 1);
}

void
routes_healthz(struct status *s, FCGX_Request *r, const struct request *req)
{
	(void)s;
	(void)req;
	send(r, "application/json", "{\"status\":\"ok\"}");
}

/* The watcher, who has the connection, is asked. */
void
routes_readyz(struct status *s, FCGX_Request *r, const struct request *req)
{
	struct parked *p = parked_add(&s->table, ASK_READY);

	p->asked_us = req->accepted_us;
	conn_take(&p->conn, r);
	parked_queue(&s->table, p);
}

static void
tell(struct status *s, struct parked *p, enum outcome out, const char *body)
{
	struct reply reply = make(outcome_table[out].http,
	    "application/json", body);

	metrics_outcome(out);
	if (conn_reply(&p->conn, &reply) != 0)
		metrics_add(METRIC_REPLIES_LOST, 1);
	parked_remove(&s->table, p);
}

void
routes_tell_ready(struct status *s, struct parked *p, struct err *why)
{
	struct json_object *o, *e;

	if (why->count == 0) {
		tell(s, p, OUT_OK, "{\"status\":\"ready\"}");
		return;
	}
	o = json_object_new_object();
	e = json_object_new_object();
	json_object_object_add(e, "code", json_object_new_string(
	    outcome_table[OUT_NOT_READY].code));
	json_object_object_add(e, "message", json_object_new_string_len(
	    why->text, (int)why->len - (why->len > 0)));
	json_object_object_add(o, "error", e);
	tell(s, p, OUT_NOT_READY, json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void
routes_metrics(struct status *s, FCGX_Request *r, const struct request *req)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)s;
	(void)req;
	if (out == NULL)
		abort();
	metrics_print(out);
	if (fclose(out) != 0)
		abort();
	send(r, "text/plain; version=0.0.4; charset=utf-8", text);
	free(text);
}

void
routes_config(struct status *s, FCGX_Request *r, const struct request *req)
{
	struct json_object *o;

	(void)req;
	if (s->cfg->publishable_key == NULL) {
		metrics_outcome(OUT_NO_CONFIG);
		(void)reply_outcome(r, OUT_NO_CONFIG, "");
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "publishableKey",
	    json_object_new_string(s->cfg->publishable_key));
	send(r, "application/json", json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}
