/*
 * Snapshots: objects fetched from Stripe's API, made into events of type
 * `stripehook.snapshot`, so that what a tool learnt stands in the journal like
 * all else that decides rows. And the kinds of object that can be fetched.
 */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

struct snapshot_kind {
	const char *name;	/* for backfill */
	const char *object;	/* Stripe's name of one */
	const char *table;
	const char *prefix;	/* of its ids; merchants may choose others */
	const char *types;	/* what its event types begin with */
	const char *path;	/* of the API */
	const char *query;	/* besides, to list them; ends in '&' or "" */
	const char *unfinished;	/* SQL: rows that will change yet */
	bool deletable;		/* one can be deleted; the row says so */
	bool extra;		/* not every API version or key lists them */
};

/* In the order in which backfill fetches them. */
extern const struct snapshot_kind snapshot_kinds[];
extern const size_t snapshot_nkinds;

/* NULL if there is none such. */
const struct snapshot_kind *snapshot_kind_by_table(const char *table);
const struct snapshot_kind *snapshot_kind_by_name(const char *name);

/* Of the object that an event is about, by the event's type or the id. */
const struct snapshot_kind *snapshot_kind_of_event(const char *type,
    const char *object_id);

/* How and when an object was fetched. */
struct fetched {
	const char *account;	/* Connect account, "" if none */
	bool livemode;		/* for objects that don't say it */
	int64_t date;		/* of the answer */
	const char *version;	/* of the API, "" if not told */
};

/*
 * The event's text. Its id is made of the object's id and the second. The
 * caller frees it.
 */
char *snapshot_text(struct json_object *object, const struct fetched *how,
    size_t *len) __attribute__((warn_unused_result));

/* data.object.id, "" if it has none. */
const char *snapshot_object_id(struct json_object *object);

/* Whether Stripe says of the object that it is deleted. */
bool snapshot_is_deleted(struct json_object *object);

#endif
