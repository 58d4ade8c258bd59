/*
 * What an event is to the rows that it makes: whether it decides them, or what
 * part of them still comes from it.
 */
#ifndef STORE_CLAIM_H
#define STORE_CLAIM_H

#include <stdbool.h>

struct err;
struct event;
struct row;
struct tooldb;

struct claim_state {
	bool there;		/* the row is stored */
	bool decides;		/* this event is its source_event_id */
	bool tied;		/* it has the row's ordering key, or is of the
				   second in which others tied for it */
	bool part;		/* a column of the row is from it: a least
				   value, what only prices know */
	char source[256];	/* the row's source_event_id */
};

/* Looks the stored row up. Returns 0, or -1 with the reason in err. */
int claim_read(struct tooldb *db, const struct row *row,
    const struct event *ev, struct claim_state *state, struct err *err)
    __attribute__((warn_unused_result));

#endif
