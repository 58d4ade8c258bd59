/*
 * A connection taken from libfcgi: what waits for minutes keeps a descriptor
 * and a number, not the streams of an FCGX_Request (some 25 kB). Records as of
 * the FastCGI Specification 1.0, section 3.3 and 5.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <fcgiapp.h>
#include <stddef.h>
#include <stdint.h>

struct reply;

struct conn {
	int fd;			/* -1: ended */
	uint16_t request_id;
};

/* Takes over the connection of a request that was read to its end. */
void conn_take(struct conn *c, FCGX_Request *r);

/*
 * Answers; what is left to do is conn_drop(), for which nginx does not wait.
 * Returns 0, or -1 if nginx was gone.
 */
int conn_answer(struct conn *c, const struct reply *reply);

/* Both. */
int conn_reply(struct conn *c, const struct reply *reply);

/*
 * Begins an answer without an end, of reply's status, headers and the first
 * part of its body. Returns as above; then it is ended.
 */
int conn_begin(struct conn *c, const struct reply *reply);

/*
 * Sends a further part, without ever waiting: who doesn't read loses the
 * connection. Returns as conn_begin().
 */
int conn_send(struct conn *c, const char *text, size_t len);

/* Ends an answer that was begun. */
void conn_end(struct conn *c);

/* Drops the connection, if there still is one. */
void conn_drop(struct conn *c);

#endif
