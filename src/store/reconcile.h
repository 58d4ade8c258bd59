/*
 * Which objects are marked, which rows may differ from Stripe's objects, and
 * what these rows are.
 */
#ifndef STORE_RECONCILE_H
#define STORE_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/journal_read.h"

struct err;
struct snapshot_kind;
struct table;
struct tooldb;

/* An object as the tools name one, and where they found it named. */
struct object_ref {
	const struct snapshot_kind *kind;	/* NULL: it has no table */
	char id[JOURNAL_ID_MAX];
	char account[JOURNAL_ID_MAX];
	bool livemode;
	bool tie;			/* of a mark: that is its reason */
	char at[32];			/* when it was marked or journalled */
	char event_id[JOURNAL_ID_MAX];	/* of the journal's event */
};

/* A stored row, read as texts by the columns of its table. */
struct stored_row {
	bool found;
	bool unfinished;		/* it will change yet */
	int64_t ties;
	int64_t created;		/* the object's own, -1 if not known */
	int64_t decided;		/* created of the event that decides */
	char event_id[JOURNAL_ID_MAX];	/* that event */
	char **values;			/* ncols of them, NULL for null */
	size_t ncols;
};

/* All return 0, or -1 with the reason in err. */

/*
 * Pages of up to cap entries, in order, from behind *place, which moves on
 * and is zeroed at first; *n is 0 at the end. Open marks; rows of a kind that
 * will change yet; events journalled from one time to another (seconds).
 */
int page_marks(struct tooldb *db, struct object_ref *place,
    struct object_ref *list, size_t cap, size_t *n, struct err *err)
    __attribute__((warn_unused_result));
int page_unfinished(struct tooldb *db, const struct snapshot_kind *kind,
    struct object_ref *place, struct object_ref *list, size_t cap, size_t *n,
    struct err *err) __attribute__((warn_unused_result));
int page_changed(struct tooldb *db, int64_t since, int64_t until,
    struct object_ref *place, struct object_ref *list, size_t cap, size_t *n,
    struct err *err) __attribute__((warn_unused_result));

/* Closes a mark, unless it was marked anew since it was read. */
int mark_close(struct tooldb *db, const struct object_ref *mark,
    struct err *err) __attribute__((warn_unused_result));

/* Reads the object's row; the caller clears it. */
int stored_row_read(struct tooldb *db, const struct object_ref *ref,
    struct stored_row *row, struct err *err)
    __attribute__((warn_unused_result));
void stored_row_clear(struct stored_row *row);

/* The mapping's table of a kind. */
const struct table *kind_table(const struct snapshot_kind *kind);

#endif
