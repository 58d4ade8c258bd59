/* Reads requests through libfcgi. */
#include "http/request.h"

#include <errno.h>
#include <obstack.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "http/gate.h"
#include "http/misbehave.h"

/* The socket that all requests of this process come from. */
static int listening = -1;
/* The connection of the request that is being read. */
static int peer = -1;

int
request_library_init(size_t body_max)
{
	/* What libfcgi waits for its peer to close: 2 s by default. */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1);
	return gate_init(body_max) == 0 ? FCGX_Init() : -1;
}

int
request_init(FCGX_Request *r, int fd)
{
	listening = fd;
	/* It is given connections and accepts none. */
	return FCGX_InitRequest(r, -1, FCGI_FAIL_ACCEPT_ON_INTR);
}

int
request_accept(FCGX_Request *r)
{
	int rc;

	if ((peer = gate_next(listening)) < 0)
		return -errno;
	/* What looks like a kept connection is read from at once. */
	r->ipcFd = gate_input();
	r->keepConnection = 1;
	rc = r->ipcFd >= 0 ? FCGX_Accept_r(r) : -errno;
	if (rc != 0)
		close(peer);
	/* A kept connection would hold this slot while nginx idles. */
	r->keepConnection = 0;
	return rc;
}

static const char *
param(FCGX_Request *r, const char *name)
{
	return FCGX_GetParam(name, r->envp);
}

static const char *
param_or_empty(FCGX_Request *r, const char *name)
{
	const char *value = param(r, name);

	return value != NULL ? value : "";
}

/* Length announced, 0 if none is; -1 if it isn't a number. */
static long
content_length(FCGX_Request *r)
{
	const char *text = param_or_empty(r, "CONTENT_LENGTH");
	char *end;
	long n;

	if (text[0] == '\0')
		return 0;
	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	n = strtol(text, &end, 10);
	return *end == '\0' && errno == 0 ? n : -1;
}

static void
discard(FCGX_Request *r)
{
	char sink[4096];

	while (FCGX_GetStr(sink, sizeof(sink), r->in) > 0)
		;
}

static enum outcome
read_body(struct request *req, FCGX_Request *r, struct obstack *mem,
    size_t body_max)
{
	long announced = content_length(r);
	size_t len = 0;
	char *body;
	int n;

	if (announced < 0 || (size_t)announced > body_max) {
		discard(r);
		return announced < 0 ? OUT_BAD_REQUEST : OUT_TOO_LARGE;
	}
	body = obstack_alloc(mem, (size_t)announced + 1);
	while (len < (size_t)announced && (n = FCGX_GetStr(body + len,
	    (int)((size_t)announced - len), r->in)) > 0)
		len += (size_t)n;
	body[len] = '\0';
	req->body = body;
	req->body_len = len;
	metrics_add(METRIC_BYTES_IN, len);
	discard(r);
	if (len < (size_t)announced || FCGX_GetError(r->in) != 0)
		return OUT_BAD_REQUEST;
	return OUT_OK;
}

enum outcome
request_read(struct request *req, FCGX_Request *r, struct obstack *mem,
    size_t body_max)
{
	enum outcome out;

	*req = (struct request){
		.method = param_or_empty(r, "REQUEST_METHOD"),
		.path = param_or_empty(r, "DOCUMENT_URI"),
		.query = param_or_empty(r, "QUERY_STRING"),
		.id = param_or_empty(r, "REQUEST_ID"),
		.signature = param(r, "HTTP_STRIPE_SIGNATURE"),
		.authorization = param(r, "HTTP_AUTHORIZATION"),
		.if_none_match = param(r, "HTTP_IF_NONE_MATCH"),
		.last_event_id = param(r, "HTTP_LAST_EVENT_ID"),
		.accept = param(r, "HTTP_ACCEPT"),
		.origin = param(r, "HTTP_ORIGIN"),
		.body = "",
		.accepted_us = clock_wall_us(),
	};
	misbehave(r);
	out = read_body(req, r, mem, body_max);
	/* The answer goes to whom the request came from. */
	close(r->ipcFd);
	r->ipcFd = peer;
	return out;
}
