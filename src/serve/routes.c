/* Which path goes to which handler. */
#include "serve/routes.h"

#include <string.h>

#include "http/reply.h"

static const struct {
	const char *path;
	bool prefix;		/* more follows it */
	enum outcome (*handler)(FCGX_Request *, const struct request *,
	    struct route_db *);
} routes[] = {
	{ "/api/webhooks/status/", true, routes_status },
	{ "/api/webhooks/config", false, routes_config },
	{ "/healthz", false, routes_healthz },
	{ "/readyz", false, routes_readyz },
	{ "/metrics", false, routes_metrics },
};

static enum outcome
refuse(FCGX_Request *r, enum outcome out)
{
	(void)reply_outcome(r, out, "GET, HEAD");
	return out;
}

enum outcome
routes_serve(FCGX_Request *r, const struct request *req, struct route_db *db)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t len = strlen(routes[i].path);

		if (strncmp(req->path, routes[i].path, len) != 0 ||
		    (!routes[i].prefix && req->path[len] != '\0'))
			continue;
		if (strcmp(req->method, "GET") != 0 &&
		    strcmp(req->method, "HEAD") != 0)
			return refuse(r, OUT_METHOD);
		return routes[i].handler(r, req, db);
	}
	return refuse(r, OUT_NOT_FOUND);
}
