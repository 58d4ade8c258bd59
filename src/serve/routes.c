/* Which path goes to which handler. */
#include "serve/routes.h"

#include <stdbool.h>
#include <string.h>

#include "base/metrics.h"
#include "http/reply.h"
#include "serve/status_int.h"

static const struct {
	const char *path;
	void (*handler)(struct status *, FCGX_Request *,
	    const struct request *);
} routes[] = {
	{ "/api/webhooks/config", routes_config },
	{ "/healthz", routes_healthz },
	{ "/readyz", routes_readyz },
	{ "/metrics", routes_metrics },
};

static void
refuse(FCGX_Request *r, enum outcome out)
{
	metrics_outcome(out);
	if (reply_outcome(r, out, "GET, HEAD") != 0)
		metrics_add(METRIC_REPLIES_LOST, 1);
}

void
routes_serve(struct status *s, FCGX_Request *r, const struct request *req)
{
	if (strncmp(req->path, STATUS_PATH, strlen(STATUS_PATH)) == 0) {
		status_ask(s, r, req);
		return;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(req->path, routes[i].path) != 0)
			continue;
		if (strcmp(req->method, "GET") != 0 &&
		    strcmp(req->method, "HEAD") != 0)
			refuse(r, OUT_METHOD);
		else
			routes[i].handler(s, r, req);
		return;
	}
	refuse(r, OUT_NOT_FOUND);
}
