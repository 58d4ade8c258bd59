/*
 * Errors of start-up and of the tools: a caller's buffer that collects one
 * line per problem, so that a user sees all of them at once.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

struct err {
	unsigned count;		/* lines added, those cut off included */
	size_t len;		/* bytes used in text */
	char text[8192];	/* lines, each ended by '\n' */
};

#define ERR_INIT { .count = 0, .len = 0, .text = "" }

/* Adds one line (without '\n'); what doesn't fit is cut. */
void err_add(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Forgets what was collected. */
void err_reset(struct err *err);

#endif
