/* What the status pool answers, route by route. */
#ifndef SERVE_ROUTES_H
#define SERVE_ROUTES_H

#include <fcgiapp.h>

#include "base/err.h"
#include "http/request.h"

#define STATUS_PATH "/api/webhooks/status/"

struct parked;
struct status;

/* Answers req on r, or takes its connection over to answer later. */
void routes_serve(struct status *s, FCGX_Request *r,
    const struct request *req);

/* Handlers of routes.c's table. */
void routes_healthz(struct status *s, FCGX_Request *r,
    const struct request *req);
void routes_readyz(struct status *s, FCGX_Request *r,
    const struct request *req);
void routes_metrics(struct status *s, FCGX_Request *r,
    const struct request *req);
void routes_config(struct status *s, FCGX_Request *r,
    const struct request *req);

/* Answers p, which asked for /readyz: why is empty if all is well. */
void routes_tell_ready(struct status *s, struct parked *p, struct err *why);

#endif
