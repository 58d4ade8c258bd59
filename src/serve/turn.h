/*
 * Ingest workers of a host write in turns. Two batches at once are each half
 * as large, and a batch costs the database as much as ten of its events; so
 * who would write waits, while more is queued, until the other one has
 * committed. Only politeness: who has waited a few milliseconds writes beside
 * it, since such a transaction waits for a disk or a network and not for a
 * processor. The turn of a worker that dies is free at once.
 */
#ifndef SERVE_TURN_H
#define SERVE_TURN_H

#include <stdbool.h>

struct err;

/* Makes the shared memory; before the first fork. */
int turn_create(struct err *err) __attribute__((warn_unused_result));

/* Waits for the turn; says whether it is ours, to be given to turn_end(). */
bool turn_begin(void) __attribute__((warn_unused_result));
void turn_end(bool ours);

#endif
