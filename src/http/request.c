/* Reads requests through libfcgi. */
#include "http/request.h"

#include <errno.h>
#include <obstack.h>
#include <stddef.h>
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
	if (rc != 0) {
		gate_input_lost();
		close(peer);
	}
	/* A kept connection would hold this slot while nginx idles. */
	r->keepConnection = 0;
	return rc;
}

/* Where a parameter goes: its place in a struct request. */
#define PARAM(name, member) \
	{ name "=", sizeof(name), offsetof(struct request, member) }

static const struct param {
	const char *name;	/* with the = that follows */
	size_t len, at;
} params[] = {
	PARAM("REQUEST_METHOD", method),
	PARAM("DOCUMENT_URI", path),
	PARAM("QUERY_STRING", query),
	PARAM("REQUEST_ID", id),
	PARAM("CONTENT_LENGTH", length),
	PARAM("HTTP_STRIPE_SIGNATURE", signature),
	PARAM("HTTP_AUTHORIZATION", authorization),
	PARAM("HTTP_IF_NONE_MATCH", if_none_match),
	PARAM("HTTP_LAST_EVENT_ID", last_event_id),
	PARAM("HTTP_ACCEPT", accept),
	PARAM("HTTP_ORIGIN", origin),
};

/* Of parameters with the same name the first counts. */
static void
read_param(struct request *req, const char *text)
{
	const char *end = strchr(text, '=');
	size_t len = end != NULL ? (size_t)(end - text) + 1 : 0;

	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		const struct param *p = &params[i];
		const char **to = (const char **)((char *)req + p->at);

		if (p->len == len && memcmp(p->name, text, len) == 0) {
			if (*to == NULL)
				*to = text + len;
			return;
		}
	}
}

static void
default_to_empty(const char **text)
{
	if (*text == NULL)
		*text = "";
}

static void
read_params(struct request *req, char *const *envp)
{
	for (; *envp != NULL; envp++)
		read_param(req, *envp);
	default_to_empty(&req->method);
	default_to_empty(&req->path);
	default_to_empty(&req->query);
	default_to_empty(&req->id);
	default_to_empty(&req->length);
}

/* Length announced, 0 if none is; -1 if it isn't a number. */
static long
content_length(const struct request *req)
{
	const char *text = req->length;
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
	long announced = content_length(req);
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

	*req = (struct request){ .body = "", .accepted_us = clock_wall_us() };
	read_params(req, r->envp);
	misbehave(r);
	out = read_body(req, r, mem, body_max);
	/* The answer goes to whom the request came from. */
	r->ipcFd = peer;
	return out;
}
