/*
 * What reconciliation asks the database: which events the journal lacks, which
 * objects are marked, which rows may differ from Stripe's objects.
 */
#ifndef STORE_RECONCILE_H
#define STORE_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct snapshot_kind;
struct table;
struct tooldb;

enum { RECONCILE_ID_MAX = 256 };	/* bytes of an id, NUL included */

/* An object as the tools name one, and where they found it named. */
struct object_ref {
	const struct snapshot_kind *kind;	/* NULL: it has no table */
	char id[RECONCILE_ID_MAX];
	char account[RECONCILE_ID_MAX];
	bool livemode;
	bool tie;			/* of a mark: that is its reason */
	char at[32];			/* when it was marked or journalled */
	char event_id[RECONCILE_ID_MAX];	/* of the journal's event */
};

/* A stored row, read as texts by the columns of its table. */
struct stored_row {
	bool found;
	bool unfinished;		/* it will change yet */
	int64_t ties;
	int64_t created;		/* the object's own, -1 if not known */
	int64_t decided;		/* created of the event that decides */
	char event_id[RECONCILE_ID_MAX];	/* that event */
	char **values;			/* ncols of them, NULL for null */
	size_t ncols;
};

/* All return 0, or -1 with the reason in err. */

/* Sets lacks[i] for ids that the journal doesn't have. */
int journal_lacks(struct tooldb *db, const char *const *ids, bool *lacks,
    size_t n, struct err *err) __attribute__((warn_unused_result));

/* Sets known[i] for payments of which an event told when they succeeded. */
int payments_known(struct tooldb *db, const char *const *ids, bool *known,
    size_t n, struct err *err) __attribute__((warn_unused_result));

/* The newest event that was delivered in that mode; "" if none. */
int journal_newest_delivery(struct tooldb *db, bool livemode,
    char id[RECONCILE_ID_MAX], struct err *err)
    __attribute__((warn_unused_result));

/* The payload of a journalled event, or NULL; the caller frees it. */
int journal_payload(struct tooldb *db, const char *event_id, char **payload,
    size_t *len, struct err *err) __attribute__((warn_unused_result));

/*
 * Pages of up to cap entries, in order, from behind *place, which moves on
 * and is zeroed at first; *n is 0 at the end. Open marks; rows of a kind that
 * will change yet; events journalled since a time (microseconds).
 */
int page_marks(struct tooldb *db, struct object_ref *place,
    struct object_ref *list, size_t cap, size_t *n, struct err *err)
    __attribute__((warn_unused_result));
int page_unfinished(struct tooldb *db, const struct snapshot_kind *kind,
    struct object_ref *place, struct object_ref *list, size_t cap, size_t *n,
    struct err *err) __attribute__((warn_unused_result));
int page_changed(struct tooldb *db, int64_t since_us,
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
