/* The status worker's loop: request -> route -> answer. */
#include "serve/status.h"

#include <obstack.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/reply.h"
#include "http/request.h"
#include "serve/routes.h"
#include "serve/worker.h"
#include "store/db.h"

enum {
	TICK_MS = 1000,
	BODY_MAX = 4096,	/* no route here takes one */
	RECONNECT_MS = 500	/* between tries to reach the database */
};

MYSQL *
routes_database(struct route_db *db)
{
	struct err err = ERR_INIT;

	if (db->mysql != NULL)
		return db->mysql;
	if (clock_ms() < db->retry_ms)
		return NULL;
	db->mysql = db_connect(db->cfg, DB_ROLE_STATUS, db->cfg->db_name,
	    db->host++, &err);
	if (db->mysql != NULL) {
		metrics_add(METRIC_DB_CONNECTS, 1);
		return db->mysql;
	}
	snprintf(db->error, sizeof(db->error), "%.*s",
	    (int)strcspn(err.text, "\n"), err.text);
	log_err(LOG_ERR, &err);
	db->retry_ms = clock_ms() + RECONNECT_MS;
	return NULL;
}

void
routes_database_drop(struct route_db *db)
{
	if (db->mysql != NULL)
		mysql_close(db->mysql);
	db->mysql = NULL;
}

static void
serve(FCGX_Request *r, struct obstack *mem, struct route_db *db)
{
	void *base = obstack_alloc(mem, 1);
	struct request req;
	enum outcome out;
	int64_t us;

	worker_beat(ACCEPTOR, STAGE_READING);
	out = request_read(&req, r, mem, BODY_MAX);
	if (out != OUT_OK) {
		(void)reply_outcome(r, out, "");
	} else {
		/* The path is libfcgi's and ends with the answer. */
		req.path = obstack_copy0(mem, req.path, strlen(req.path));
		out = routes_serve(r, &req, db);
	}
	us = clock_wall_us() - req.accepted_us;
	metrics_outcome(out);
	metrics_observe(HIST_REQUEST, us > 0 ? (uint64_t)us : 0);
	log_line(LOG_DEBUG, "%s %s %lld us", req.path,
	    outcome_table[out].code, (long long)us);
	obstack_free(mem, base);
}

static void
accept_all(const struct worker *w, FCGX_Request *r, struct obstack *mem,
    struct route_db *db)
{
	enum worker_next next;

	do {
		worker_beat(ACCEPTOR, STAGE_WAITING);
		if ((next = worker_wait(w, TICK_MS)) == WORKER_ACCEPT &&
		    request_accept(r) == 0)
			serve(r, mem, db);
	} while (next != WORKER_END);
}

int
status_run(const struct worker *w)
{
	struct route_db db = { .cfg = w->cfg, .host = w->index };
	struct obstack mem;
	FCGX_Request r;

	if (request_library_init() != 0 || request_init(&r, w->fd) != 0) {
		log_line(LOG_ERR, "libfcgi can't be set up");
		return EX_SOFTWARE;
	}
	obstack_init(&mem);
	(void)routes_database(&db);
	metrics_own->ready = 1;
	accept_all(w, &r, &mem, &db);
	metrics_own->ready = 0;
	routes_database_drop(&db);
	obstack_free(&mem, NULL);
	return EX_OK;
}
