/* The end of a delivery: its answer, its metric, its log line. */
#ifndef SERVE_ANSWER_H
#define SERVE_ANSWER_H

#include "base/outcome.h"

struct slot;

/* Counts and sends the answer: all that the peer waits for. */
void answer_send(struct slot *slot, enum outcome out);

/* The rest, once it is sent: closes, measures, logs. */
void answer_end(struct slot *slot, enum outcome out);

/* Both. */
void answer(struct slot *slot, enum outcome out);

#endif
