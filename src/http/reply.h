/* Answers: status, headers, JSON body. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <fcgiapp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/outcome.h"

enum {
	RETRY_AFTER = 5,	/* seconds, said with every 503 */
	REPLY_HEAD_MAX = 1536,	/* bytes of status and headers */
	ERROR_BODY_MAX = 640	/* bytes of an error's JSON, NUL included */
};

/* Headers are lines ended by "\r\n", or "". */
struct reply {
	int status;
	const char *type;	/* Content-Type; NULL: no body, none is sent */
	const char *headers;
	const char *body;
	size_t body_len;
};

/*
 * Writes the head for an answer of known or unknown length. Returns its bytes,
 * or -1 if it is too long.
 */
int reply_head(char head[REPLY_HEAD_MAX], const struct reply *reply,
    bool has_end);

/* Writes the contract's body for an outcome; returns its bytes. */
int reply_body(char body[ERROR_BODY_MAX], enum outcome out);

/* Sends it and ends the request; returns 0, or -1 if nginx was gone. */
int reply_send(FCGX_Request *r, const struct reply *reply);

/* What a reply that was made points to. */
struct reply_text {
	char headers[128], body[ERROR_BODY_MAX];
};

/*
 * The contract's answer for an outcome: {"received":true}, or the error body
 * with what to fix. allow is the Allow header's value for OUT_METHOD.
 */
struct reply reply_for(enum outcome out, const char *allow,
    struct reply_text *text);

/* Sends it, as reply_send() does. */
int reply_outcome(FCGX_Request *r, enum outcome out, const char *allow);

#endif
