/*
 * What trigger delivers, and in which order: rounds of sample events, some of
 * them twice, shuffled within a window so that memory stays bounded. Pure: no
 * I/O; a function of its options.
 */
#ifndef CTL_TRIGGER_PLAN_H
#define CTL_TRIGGER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stripe/sample.h"

struct plan_options {
	const size_t *types;	/* positions of types, ascending */
	size_t ntypes;		/* 0: lifecycles */
	const int *lives;	/* which lifecycles, in turn */
	size_t nlives;
	uint64_t count;		/* of each */
	bool shuffle;
	double duplicate;	/* further deliveries per event */
	uint64_t seed;
};

/* An event to be delivered, as often as it is handed out. */
struct plan_event {
	struct sample_event ev;
	unsigned refs;
};

struct plan;

/* Never NULL. What opt and sample point to must live as long. */
struct plan *plan_new(const struct plan_options *opt, struct sample *sample)
    __attribute__((warn_unused_result));
void plan_free(struct plan *plan);

/* The next delivery, to be released by the caller; NULL after the last. */
struct plan_event *plan_next(struct plan *plan);
void plan_release(struct plan_event *ev);

/* Events made so far, and how much of all is handed out, 0 to 1. */
uint64_t plan_events(const struct plan *plan);
double plan_done(const struct plan *plan);

#endif
