/* The end of a delivery: its answer, its metric, its log line. */
#ifndef SERVE_ANSWER_H
#define SERVE_ANSWER_H

#include "base/outcome.h"

struct slot;

void answer(struct slot *slot, enum outcome out);

#endif
