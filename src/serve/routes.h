/* What the status pool answers, route by route. */
#ifndef SERVE_ROUTES_H
#define SERVE_ROUTES_H

#include <mysql.h>

#include "base/config.h"
#include "base/outcome.h"
#include "http/request.h"

/* The status worker's connection: made when needed, kept while it works. */
struct route_db {
	const struct config *cfg;
	MYSQL *mysql;
	unsigned host;		/* where the next connect begins */
	int64_t retry_ms;	/* no new try before */
	char error[512];	/* why there is none */
};

/* A connection, or NULL with db->error set. */
MYSQL *routes_database(struct route_db *db);

/* Drops the connection after an error; the next need makes a new one. */
void routes_database_drop(struct route_db *db);

/* Answers req on r; returns the outcome for metric and log. */
enum outcome routes_serve(FCGX_Request *r, const struct request *req,
    struct route_db *db);

/* Handlers; each answers and returns the outcome. */
enum outcome routes_status(FCGX_Request *r, const struct request *req,
    struct route_db *db);
enum outcome routes_healthz(FCGX_Request *r, const struct request *req,
    struct route_db *db);
enum outcome routes_readyz(FCGX_Request *r, const struct request *req,
    struct route_db *db);
enum outcome routes_metrics(FCGX_Request *r, const struct request *req,
    struct route_db *db);
enum outcome routes_config(FCGX_Request *r, const struct request *req,
    struct route_db *db);

#endif
