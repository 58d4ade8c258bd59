/*
 * Deletes old payloads, but none that a row still needs: those of its ordering
 * key, of its least and its price values, of marked objects, and of events
 * that failed and may be replayed. The journal's rows stay.
 */
#ifndef STORE_PRUNE_H
#define STORE_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

struct err;
struct tooldb;

enum prune_fate {
	PRUNE_DELETED,
	PRUNE_DECIDING,		/* a row is made of it */
	PRUNE_FAILED,		/* it may be replayed */
	PRUNE_MARKED,		/* reconciliation isn't done with its object */
	PRUNE_UNCLEAR,		/* today's code can't tell what it made */
	PRUNE__MAX
};

/* "deleted", "deciding", ... */
extern const char *const prune_fates[PRUNE__MAX];

struct prune {
	const struct config *cfg;
	struct tooldb *db;		/* the owner's */
	int64_t before_us;		/* received before */
	size_t batch;
	bool dry_run;			/* only counts */
	bool anew;			/* looks at what was kept before too */
	void (*progress)(const struct prune *p);	/* or NULL */

	size_t counts[PRUNE__MAX];
	uint64_t bytes;			/* of the deleted ones */
	int64_t at_us;			/* reception of the last one seen */
};

/* Returns 0, or -1 with the reason in err; what is counted is done. */
int prune_run(struct prune *p, struct err *err)
    __attribute__((warn_unused_result));

#endif
