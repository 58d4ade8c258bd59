/* Answers: status, headers, JSON body. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <fcgiapp.h>
#include <stddef.h>

#include "base/outcome.h"

enum { RETRY_AFTER = 5 };	/* seconds, said with every 503 */

/* Headers are lines ended by "\r\n", or "". */
struct reply {
	int status;
	const char *type;	/* Content-Type */
	const char *headers;
	const char *body;
	size_t body_len;
};

/* Sends it and ends the request; returns 0, or -1 if nginx was gone. */
int reply_send(FCGX_Request *r, const struct reply *reply);

/*
 * The contract's answer for an outcome: {"received":true}, or the error body
 * with what to fix. allow is the Allow header's value for OUT_METHOD.
 */
int reply_outcome(FCGX_Request *r, enum outcome out, const char *allow);

#endif
