/* One event of the journal on its way to the writer. */
#ifndef STORE_REPLAY_ITEM_H
#define STORE_REPLAY_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "store/batch.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

struct err;
struct obstack;
struct tooldb;

/* Its strings are in the caller's obstack. */
struct replay_item {
	const char *id, *type;
	int64_t received_us;
	struct replay replay;
	bool skip;		/* it isn't meant after all */

	/* What replay_item_prepare() fills. */
	char *payload;		/* NULL: gone */
	size_t len;
	bool redacted;
	bool written;		/* entry is for store_replay() */
	struct event event;
	struct rows rows;
	struct entry entry;
};

/*
 * Reads the payload and makes its rows, as of a delivery; not of a redacted
 * one that was applied already. Returns 0, or -1 with the reason in err.
 */
int replay_item_prepare(struct replay_item *it, struct tooldb *db,
    const struct config *cfg, struct obstack *mem, struct err *err)
    __attribute__((warn_unused_result));

#endif
