/* One request as nginx hands it over by FastCGI. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <fcgiapp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"

struct obstack;

/* Strings are the FCGX_Request's, never NULL but where said. */
struct request {
	const char *method;
	const char *path;		/* normalised by nginx */
	const char *query;
	const char *id;			/* nginx's request id */
	const char *length;		/* that the body is to have */
	const char *signature;		/* Stripe-Signature, NULL if none */
	const char *authorization;	/* NULL if none */
	const char *if_none_match;	/* these four: NULL if none */
	const char *last_event_id;
	const char *accept;
	const char *origin;
	const char *body;		/* the obstack's, with a NUL after it */
	size_t body_len;
	int64_t accepted_us;		/* wall clock, microseconds */
};

/*
 * Sets libfcgi up for request r on listening descriptor fd. Call once per
 * slot, in the worker. Returns 0 or libfcgi's error.
 */
int request_init(FCGX_Request *r, int fd) __attribute__((warn_unused_result));

/*
 * Prepares the process for libfcgi and for bodies of that size: once, before
 * request_init() and the sandbox.
 */
int request_library_init(size_t body_max) __attribute__((warn_unused_result));

/*
 * Takes a request that has come whole and reads its parameters. Returns 0,
 * -EAGAIN when there is none (another worker was quicker, or its peer is slow:
 * then gate_fd() tells when to ask again), or another negative error. After 0,
 * request_read() must follow.
 */
int request_accept(FCGX_Request *r) __attribute__((warn_unused_result));

/*
 * Reads parameters and body (to its end in any case: nginx takes an early
 * answer for a fault). Returns OUT_OK, OUT_TOO_LARGE or OUT_BAD_REQUEST (a
 * length that is none, or fewer bytes than announced).
 */
enum outcome request_read(struct request *req, FCGX_Request *r,
    struct obstack *mem, size_t body_max)
    __attribute__((warn_unused_result));

#endif
