/* The routes for operators and front ends: health, readiness, metrics. */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/metrics.h"
#include "http/reply.h"
#include "serve/routes.h"
#include "store/migrate.h"

static enum outcome
send(FCGX_Request *r, int status, const char *type, const char *body)
{
	struct reply reply = { .status = status, .type = type,
	    .headers = status == 503 ? "Cache-Control: no-store\r\n"
	    "Retry-After: 5\r\n" : "Cache-Control: no-store\r\n",
	    .body = body, .body_len = strlen(body) };

	if (reply_send(r, &reply) != 0)
		metrics_add(METRIC_REPLIES_LOST, 1);
	return status == 503 ? OUT_NOT_READY : OUT_OK;
}

enum outcome
routes_healthz(FCGX_Request *r, const struct request *req,
    struct route_db *db)
{
	(void)req;
	(void)db;
	return send(r, 200, "application/json", "{\"status\":\"ok\"}");
}

/* Why deliveries can't be stored now; nothing if they can. */
static void
find_obstacles(struct route_db *db, struct err *why)
{
	MYSQL *mysql = routes_database(db);

	if (mysql == NULL)
		err_add(why, "%s", db->error);
	else if (schema_check(mysql, why) != 0)
		routes_database_drop(db);
	if (metrics_live(POOL_INGEST, true) == 0)
		err_add(why, "no ingest worker is running");
	else if (metrics_sum(METRIC_DB_UP) == 0)
		err_add(why, "no ingest worker can write to the database");
}

enum outcome
routes_readyz(FCGX_Request *r, const struct request *req, struct route_db *db)
{
	struct err why = ERR_INIT;
	struct json_object *o, *e;
	enum outcome out;

	(void)req;
	find_obstacles(db, &why);
	if (why.count == 0)
		return send(r, 200, "application/json",
		    "{\"status\":\"ready\"}");
	if (why.len > 0)
		why.text[why.len - 1] = '\0';
	o = json_object_new_object();
	e = json_object_new_object();
	json_object_object_add(e, "code", json_object_new_string(
	    outcome_table[OUT_NOT_READY].code));
	json_object_object_add(e, "message", json_object_new_string(why.text));
	json_object_object_add(o, "error", e);
	out = send(r, 503, "application/json", json_object_to_json_string_ext(
	    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return out;
}

enum outcome
routes_metrics(FCGX_Request *r, const struct request *req,
    struct route_db *db)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	enum outcome outcome;

	(void)req;
	(void)db;
	if (out == NULL)
		abort();
	metrics_print(out);
	if (fclose(out) != 0)
		abort();
	outcome = send(r, 200, "text/plain; version=0.0.4; charset=utf-8",
	    text);
	free(text);
	return outcome;
}

enum outcome
routes_config(FCGX_Request *r, const struct request *req, struct route_db *db)
{
	struct json_object *o;

	(void)req;
	if (db->cfg->publishable_key == NULL) {
		(void)reply_outcome(r, OUT_NO_CONFIG, "");
		return OUT_NO_CONFIG;
	}
	o = json_object_new_object();
	json_object_object_add(o, "publishableKey",
	    json_object_new_string(db->cfg->publishable_key));
	(void)send(r, 200, "application/json", json_object_to_json_string_ext(
	    o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return OUT_OK;
}
