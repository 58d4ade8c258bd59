/*
 * The parts of reconcile: events that the journal lacks (reconcile_events.c,
 * reconcile_types.c), marked objects (reconcile_marks.c), rows that differ
 * (reconcile_objects.c, reconcile_compare.c).
 */
#ifndef CTL_RECONCILE_INT_H
#define CTL_RECONCILE_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "ctl/fetch.h"

struct object_ref;
struct stored_row;

struct reconcile {
	struct fetch f;
	bool repair, objects, json;
	int64_t from, until;		/* created of the events listed */
	bool seen;			/* the key is of our account, surely */
	size_t missing, stored, marked, settled, gone, compared, stale,
	    repaired;
	size_t remain;			/* what repairing couldn't settle */
	struct json_object *missing_events, *differences;	/* for JSON */
};

/* Event types to list. */
struct listed_types {
	struct strings types;		/* none: all of them are listed */
	bool all;			/* and all of them are wanted */
};

/*
 * These return 0, or -1 when there is no going on, with the reason in err.
 * What fails for single objects becomes a note.
 */

/* The types that the setting names, else our endpoint is subscribed to. */
int reconcile_types(struct reconcile *r, struct listed_types *types,
    struct err *err) __attribute__((warn_unused_result));
void listed_types_clear(struct listed_types *types);

int reconcile_events(struct reconcile *r, struct err *err)
    __attribute__((warn_unused_result));
int reconcile_marks(struct reconcile *r, struct err *err)
    __attribute__((warn_unused_result));
int reconcile_objects(struct reconcile *r, struct err *err)
    __attribute__((warn_unused_result));

/*
 * An object that Stripe says is gone, as a snapshot that says so: what is
 * stored of it, deleted. NULL if one of this kind is never deleted, or if
 * nothing shows that the key is of the account that events come from; a note
 * says so. Gives *object, which the caller puts.
 */
int reconcile_gone(struct reconcile *r, const struct object_ref *ref,
    const struct stored_row *row, struct json_object **object,
    struct err *err) __attribute__((warn_unused_result));

/*
 * Maps the object as its snapshot would be, and compares the row with that;
 * reports the columns that differ and sets *n to their number. Returns 0, or
 * -1 if the object can't be mapped, which a note says.
 */
int reconcile_compare(struct reconcile *r, const struct object_ref *ref,
    const struct stored_row *stored, struct json_object *object,
    const struct api_answer *answer, size_t *n)
    __attribute__((warn_unused_result));

/* Whether this error ends the run: the API or the database is gone. */
bool reconcile_is_fatal(enum api_result result);

#endif
