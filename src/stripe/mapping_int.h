/*
 * Between the parts of the mapping: the data (mapping.c), the making of rows
 * from it (mapping_apply.c), of further rows (mapping_more.c) and of links
 * (mapping_links.c), the reading of values (mapping_value.c), of those that a
 * path can't say (mapping_compute.c), and what is wrong with them
 * (mapping_reason.c).
 */
#ifndef STRIPE_MAPPING_INT_H
#define STRIPE_MAPPING_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "stripe/mapping.h"
#include "stripe/order.h"

struct json_object;

enum {
	ITEMS_MAX = 500,	/* entries that a list in a payload may have */
	STR_MAX = 255,		/* characters of a COL_STR without a max */
	USER_ID_MAX = 500,	/* characters of user ids */
	TEXT_MAX = 65535 / 4	/* characters that fit a TEXT column */
};

/* Positions in mapping_tables. */
enum map_table {
	T_CUSTOMERS, T_PRODUCTS, T_PLANS, T_CUSTOMER_USERS, T_SUBSCRIPTIONS,
	T_SETUP_INTENTS, T_SESSIONS, T_INVOICES, T_PAYMENTS, T_CHARGES,
	T_REFUNDS, T_DISPUTES, T_INVOICE_PAYMENTS
};

/* A link that a payload carries. Paths are as in struct column. */
struct link_rule {
	const char *kind;	/* links.kind, 'from.to' */
	const char *list;	/* array whose entries are looked at, or NULL */
	const char *from;	/* in data.object */
	const char *to;		/* in data.object, or in the list's entry */
	const char *unless;	/* last part of a type that carries none */
	bool hint;		/* merchant's text: only what looks like an
				   invoice id counts */
};

/* A kind of Stripe object: what becomes of one. */
struct map_kind {
	const char *object;	/* data.object.object */
	enum map_table table;
	enum order_kind order;
	const struct link_rule *links;
	size_t nlinks;
	/* Makes further rows; returns 0, or -1 with the reason set. */
	int (*more)(struct map_ctx *ctx);
};

/* An event type: a whole one, or ending in '*'. The first that fits rules. */
struct map_type {
	const char *pattern;
	const struct map_kind *kind;
	const char *ignored;	/* why it is ignored; then kind is NULL */
};

extern const struct map_type map_types[];
extern const size_t map_ntypes;

struct map_ctx {
	struct obstack *mem;
	const struct event *ev;
	const struct strings *user_keys;
	struct rows *rows;
	struct json_object *object;	/* where paths start */
	const char *base;		/* its name in reasons */
	bool own;			/* it is data.object itself, so that
					   the event's type speaks of it */
	const struct column *col;	/* being filled */
	const char *path;		/* last one looked up, for reasons */
	size_t path_len;
};

/*
 * Looks up the first of the alternatives in path that isn't null, into *leaf
 * (NULL: there is none). A '?' after a segment says that an id may stand where
 * an object is wanted: then there is nothing below it. Returns 0, or -1 with
 * the reason set.
 */
int map_find(struct map_ctx *ctx, const char *path, struct json_object **leaf)
    __attribute__((warn_unused_result));

/* Looks up one alternative and moves *path behind it, or to NULL. */
int map_find_next(struct map_ctx *ctx, const char **path,
    struct json_object **leaf) __attribute__((warn_unused_result));

/* As map_find(), an array of at most ITEMS_MAX entries; *n is 0 if none. */
int map_find_list(struct map_ctx *ctx, const char *path,
    struct json_object **list, size_t *n) __attribute__((warn_unused_result));

/* Reads a column by its path and type. Returns 0 or -1 as above. */
int map_value(struct map_ctx *ctx, const struct column *col, struct value *v)
    __attribute__((warn_unused_result));

/* Copies a JSON string of at most max characters into *v. As above. */
int map_string(struct map_ctx *ctx, struct json_object *json, unsigned max,
    struct value *v) __attribute__((warn_unused_result));

/* The same for an id, or an object that has one. */
int map_id(struct map_ctx *ctx, struct json_object *json, struct value *v)
    __attribute__((warn_unused_result));

/*
 * Sets the reason: what was expected at the path last looked up (or at key
 * below it, if not NULL), and what was found (NULL: nothing). Returns -1.
 */
int map_fail(struct map_ctx *ctx, const char *key, const char *expected,
    struct json_object *found);

/* Copies bytes into *v. */
void map_set_bytes(struct map_ctx *ctx, struct value *v, const char *s,
    size_t len);

/* Number of characters in UTF-8. */
size_t map_characters(const char *s, size_t len);

/*
 * Adds the row that ctx->object makes. optional: none is added if a needed
 * column is null, or if the event has that row already. Returns 0 or -1.
 */
int map_row(struct map_ctx *ctx, enum map_table table, enum order_kind order,
    bool optional) __attribute__((warn_unused_result));

/* Adds the links that data.object carries. Returns 0 or -1. */
int map_links(struct map_ctx *ctx, const struct map_kind *kind)
    __attribute__((warn_unused_result));

/* Further rows. */
int map_more_subscription(struct map_ctx *ctx);
int map_more_session(struct map_ctx *ctx);

/* Columns. */
int map_compute_user_id(struct map_ctx *ctx, struct value *v);
int map_compute_flag(struct map_ctx *ctx, struct value *v);
int map_compute_items(struct map_ctx *ctx, struct value *v);
int map_compute_period_start(struct map_ctx *ctx, struct value *v);
int map_compute_period_end(struct map_ctx *ctx, struct value *v);
int map_compute_succeeded_at(struct map_ctx *ctx, struct value *v);
int map_compute_plan_type(struct map_ctx *ctx, struct value *v);

#endif
