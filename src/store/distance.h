/*
 * How far the database is, told by how long the statements of batches take. A
 * slow disk makes a COMMIT long, a long wire makes all of them so.
 */
#ifndef STORE_DISTANCE_H
#define STORE_DISTANCE_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing is known, so it is near. */
struct distance {
	bool any;		/* statement of the batch in hand */
	int64_t shortest_ms;	/* of them */
	unsigned far;		/* batches without a short one, in a row */
};

/* A statement of the batch in hand took so long. */
void distance_note(struct distance *d, int64_t ms);

/* The batch in hand ends. */
void distance_judge(struct distance *d);

/* Whether each round trip takes milliseconds, as far as batches tell. */
bool distance_is_far(const struct distance *d);

#endif
