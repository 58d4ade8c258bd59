/*
 * Which ingest worker takes what comes. Deliveries that come to one worker
 * make batches twice as large as those spread over two, and a batch costs the
 * database nearly as much as its events. So they take turns, of some seconds
 * each, in which the others stand by: for its death, for a burst, for a
 * database that it can't reach.
 */
#ifndef SERVE_TURN_H
#define SERVE_TURN_H

#include <stdbool.h>
#include <stdint.h>

enum { TURN_MS = 2000 };

/*
 * Whether the worker of this number would take what comes at at_ms, when the
 * others are as they are at now_ms (both of clock_ms()): it is its turn, or
 * whose turn it is can't take more.
 */
bool turn_takes(unsigned number, int64_t at_ms, int64_t now_ms);

/*
 * Whether it takes what comes now; also for a moment after its turn, so that
 * the next one is awake.
 */
bool turn_is_ours(unsigned number);

/* Milliseconds until the next turn begins. */
int turn_left_ms(void);

/* Shows the others whether more comes than the calling worker can accept. */
void turn_show(bool pressed);

#endif
