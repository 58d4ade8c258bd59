/*
 * From an event to rows, as data: which event types feed which table, and
 * one row per column. To support one more event type or column is one row in
 * mapping.c and one migration.
 */
#ifndef STRIPE_MAPPING_H
#define STRIPE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"

struct event;
struct obstack;
struct strings;

enum {
	ORDER_KEY_MAX = 64,	/* bytes of VARBINARY order_key */
	REASON_MAX = 500	/* bytes of webhook_events.error, NUL included */
};

enum col_type {
	COL_STR,	/* string, at most max characters */
	COL_ID,		/* Stripe id: ASCII string, or an expanded object's id */
	COL_INT,	/* integer that fits int64 */
	COL_BOOL,
	COL_TIME,	/* unix seconds, stored as DATETIME */
	COL_JSON,	/* any value, stored as JSON text */
	COL_SHA256	/* string, stored as 32 bytes of its SHA-256 */
};

enum col_merge {
	MERGE_NEWEST,	/* the value of the row's deciding snapshot */
	MERGE_LEAST,	/* the least value that any event gave */
	MERGE_PRICE	/* of the newest price object (plans.price_order_key) */
};

enum { COL_KEY = 1, COL_NEED = 2 };	/* primary key; must not be null */

enum value_type { VALUE_NULL, VALUE_INT, VALUE_TIME, VALUE_BYTES };

/* A column's value; bytes live in the obstack that made the rows. */
struct value {
	enum value_type type;
	int64_t i;		/* VALUE_INT, VALUE_TIME */
	const char *s;		/* VALUE_BYTES */
	size_t len;
};

struct map_ctx;			/* what compute functions read: mapping.c */

struct column {
	const char *path;	/* pointers into data.object, tried in order,
				   separated by '|'; first non-null wins */
	const char *name;	/* the table's column */
	enum col_type type;
	unsigned flags;
	unsigned max;		/* COL_STR: characters; 0: 255 */
	enum col_merge merge;
	/*
	 * Where a path can't say it: fills *v with a value of the column's
	 * type (which says how it is stored). Returns 0, or -1 with ctx's
	 * reason set.
	 */
	int (*compute)(struct map_ctx *ctx, struct value *v);
};

struct table {
	const char *name;
	const struct column *cols;
	size_t ncols;
	unsigned index;		/* position in mapping_tables */
	bool account_key;	/* primary key has account and livemode too */
	bool has_price_key;	/* has column price_order_key */
	bool shared;		/* rows come from events of other objects too */
	unsigned status_at;	/* byte of order_key, from 1, that ranks a
				   status which should only rise; 0: none */
};

/* Every table that rows go to, in the fixed order in which they're written. */
extern const struct table *const mapping_tables[];
extern const size_t mapping_ntables;

struct row {
	const struct table *table;
	struct value *values;		/* table->ncols of them */
	unsigned char order_key[ORDER_KEY_MAX];
	size_t order_key_len;
	unsigned char price_key[ORDER_KEY_MAX];	/* empty: no price object */
	size_t price_key_len;
};

struct link {
	const char *from_id, *to_id, *kind;
};

struct rows {
	struct row *row;
	size_t n;
	struct link *link;
	size_t nlinks;
	char reason[REASON_MAX];	/* why ignored or failed, else "" */
};

/*
 * Fills rows from an event whose JSON is still there. user_keys are the
 * metadata keys that hold a user id, the first one found wins. Returns OUT_OK
 * (rows to write), OUT_IGNORED (an unknown or thin type: reason says why) or
 * OUT_FAILED (reason names the field). Memory is the obstack's.
 */
enum outcome mapping_apply(struct rows *rows, struct obstack *mem,
    const struct event *ev, const struct strings *user_keys)
    __attribute__((warn_unused_result));

/* Whether events of this type are applied (not just stored). */
bool mapping_supports(const char *type);

/* Whether events of this type may give rows of shared tables. */
bool mapping_shares(const char *type);

#endif
