/* Reads requests through libfcgi. */
#include "http/request.h"

#include <errno.h>
#include <obstack.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "http/misbehave.h"

int
request_library_init(void)
{
	/*
	 * What libfcgi waits for its peer to close, or to begin: 2 s by
	 * default, which one silent peer could turn into a standstill.
	 */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1);
	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "200", 1);
	return FCGX_Init();
}

int
request_init(FCGX_Request *r, int fd)
{
	return FCGX_InitRequest(r, fd, FCGI_FAIL_ACCEPT_ON_INTR);
}

int
request_accept(FCGX_Request *r)
{
	int rc = FCGX_Accept_r(r);

	/* A kept connection would hold this slot while nginx idles. */
	if (rc == 0)
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
	return read_body(req, r, mem, body_max);
}
