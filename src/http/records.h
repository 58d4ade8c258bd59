/*
 * Walks along the FastCGI records of one request and tells when it is whole;
 * pure, so that bytes may come in any pieces. It is stricter than the protocol:
 * what nginx never sends (management records, aborts, several requests, other
 * roles than responder) is an error here.
 */
#ifndef HTTP_RECORDS_H
#define HTTP_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_HEADER = 8, RECORDS_PARAMS_MAX = 65535 };	/* as nginx's */

enum records_state {
	RECORDS_BEGIN,		/* what it waits for */
	RECORDS_PARAMS,
	RECORDS_STDIN,
	RECORDS_WHOLE,		/* the request is complete */
	RECORDS_BAD		/* and will never be */
};

struct records {
	enum records_state state;
	const char *why;	/* it is BAD */
	uint8_t id[2];		/* the request's, as on the wire */
	uint8_t header[RECORD_HEADER];
	size_t nheader;		/* bytes of it that came */
	size_t content, padding;	/* of the record in hand, to come */
	size_t params, body;	/* bytes of both so far */
	size_t seen;		/* bytes of the request so far */
	size_t at;		/* where the record in hand begins */
	struct {
		uint8_t length[8];	/* of name and value, as they came */
		size_t nlength;
		size_t skip;	/* bytes of name and value still to come */
	} pair;
};

/* Takes the next n bytes; returns the state after them. */
enum records_state records_eat(struct records *r, const uint8_t *bytes,
    size_t n) __attribute__((warn_unused_result));

/* Writes the record that ends the body, with the request's id. */
void records_end(const struct records *r, uint8_t out[RECORD_HEADER]);

#endif
