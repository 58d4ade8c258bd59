/*
 * Makes the rows and links of an event by the tables of mapping.c. The JSON
 * tree goes right after, so whatever a row holds is copied.
 */
#include <json-c/json.h>
#include <obstack.h>
#include <stdio.h>
#include <string.h>

#include "stripe/event.h"
#include "stripe/mapping_int.h"

#define IGNORED_TYPE "event type is not one that stripehook applies"
#define IGNORED_THIN "thin event, which has no object in it: in Stripe " \
	"(Workbench > Webhooks) make the destination with payload style " \
	"'Snapshot' instead of 'Thin'"

/* Whether the type is the pattern, or begins with what precedes its '*'. */
static bool
fits(const char *pattern, const char *type)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return strncmp(type, pattern, len - 1) == 0;
	return strcmp(type, pattern) == 0;
}

static const struct map_type *
find_type(const char *type)
{
	for (size_t i = 0; i < map_ntypes; i++)
		if (fits(map_types[i].pattern, type))
			return &map_types[i];
	return NULL;
}

bool
mapping_supports(const char *type)
{
	const struct map_type *found = find_type(type);

	return strcmp(type, ORDER_SNAPSHOT_TYPE) == 0 ||
	    (found != NULL && found->kind != NULL);
}

bool
mapping_shares(const char *type)
{
	const struct map_type *found = find_type(type);

	return strcmp(type, ORDER_SNAPSHOT_TYPE) == 0 ||
	    (found != NULL && found->kind != NULL &&
	    (found->kind->more != NULL ||
	    mapping_tables[found->kind->table]->shared));
}

/* data.object.object, "" if it isn't a string. */
static const char *
object_name(struct json_object *object)
{
	struct json_object *json;

	if (!json_object_object_get_ex(object, "object", &json) ||
	    !json_object_is_type(json, json_type_string))
		return "";
	return json_object_get_string(json);
}

/* A fetched snapshot's type doesn't name its object, which itself does. */
static const struct map_kind *
find_kind(const char *object)
{
	for (size_t i = 0; i < map_ntypes; i++)
		if (map_types[i].kind != NULL &&
		    strcmp(map_types[i].kind->object, object) == 0)
			return map_types[i].kind;
	return NULL;
}

static bool
same_key(const struct row *a, const struct row *b)
{
	const struct value *x = a->values, *y = b->values;

	/* The analyzer takes obstack's memory for NULL. */
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	return a->table == b->table && x->len == y->len &&
	    memcmp(x->s, y->s, x->len) == 0;
}

static bool
has_row(const struct rows *rows, const struct row *row)
{
	for (size_t i = 0; i < rows->n; i++)
		if (same_key(&rows->row[i], row))
			return true;
	return false;
}

static int
fill_value(struct map_ctx *ctx, const struct column *col, struct value *v)
{
	if (col->compute == NULL)
		return map_value(ctx, col, v);
	/* As above. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	*v = (struct value){ .type = VALUE_NULL };
	ctx->col = col;
	return col->compute(ctx, v);
}

/* Returns 1 if a needed column is null. */
static int
fill_row(struct map_ctx *ctx, const struct table *table, struct row *row)
{
	*row = (struct row){ .table = table, .values = obstack_alloc(ctx->mem,
	    table->ncols * sizeof(*row->values)) };
	for (size_t i = 0; i < table->ncols; i++) {
		const struct column *col = &table->cols[i];

		if (fill_value(ctx, col, &row->values[i]) != 0)
			return -1;
		if ((col->flags & COL_NEED) != 0 &&
		    row->values[i].type == VALUE_NULL)
			return 1;
	}
	return 0;
}

int
map_row(struct map_ctx *ctx, enum map_table table, enum order_kind order,
    bool optional)
{
	struct rows *rows = ctx->rows;
	struct row *row = &rows->row[rows->n];
	int rc = fill_row(ctx, mapping_tables[table], row);

	if (rc < 0)
		return -1;
	if (rc > 0)
		return optional ? 0 : map_fail(ctx, NULL, "missing", NULL);
	if (has_row(rows, row))
		return 0;
	row->order_key_len = order_key_make(row->order_key, order, ctx->ev,
	    ctx->object);
	row->price_key_len = order_price_key_make(row->price_key, order,
	    ctx->ev, ctx->object);
	rows->n++;
	return 0;
}

/* Makes room for all that the event can give. */
static int
reserve(struct map_ctx *ctx, const struct map_kind *kind)
{
	struct json_object *list;
	size_t nrows = 1, nlinks = 0, n;

	if (kind->more != NULL) {
		if (map_find_list(ctx, "/items/data", &list, &n) != 0)
			return -1;
		nrows += n + 2;		/* and a plan, and a user */
	}
	for (size_t i = 0; i < kind->nlinks; i++) {
		n = 1;
		if (kind->links[i].list != NULL &&
		    map_find_list(ctx, kind->links[i].list, &list, &n) != 0)
			return -1;
		nlinks += n;
	}
	ctx->rows->row = obstack_alloc(ctx->mem,
	    nrows * sizeof(struct row));
	/* One more: a link that comes to nothing is made there first. */
	ctx->rows->link = obstack_alloc(ctx->mem,
	    (nlinks + 1) * sizeof(struct link));
	return 0;
}

static enum outcome
ignore(struct rows *rows, const char *why)
{
	strncpy(rows->reason, why, REASON_MAX - 1);
	return OUT_IGNORED;
}

/* The object is of another kind than the event's type says. */
static int
wrong_object(struct map_ctx *ctx, const char *wanted)
{
	struct json_object *found = NULL;
	char expected[64];

	ctx->path = "/object";
	ctx->path_len = strlen(ctx->path);
	json_object_object_get_ex(ctx->object, "object", &found);
	if (found == NULL)
		return map_fail(ctx, NULL, "missing", NULL);
	snprintf(expected, sizeof(expected), "\"%s\"", wanted);
	return map_fail(ctx, NULL, expected, found);
}

enum outcome
mapping_apply(struct rows *rows, struct obstack *mem, const struct event *ev,
    const struct strings *user_keys)
{
	const struct map_type *type = find_type(ev->type);
	struct map_ctx ctx = { .mem = mem, .ev = ev, .user_keys = user_keys,
	    .rows = rows, .object = ev->object, .base = "data.object",
	    .own = true, .path = "" };
	const struct map_kind *kind;

	memset(rows, 0, sizeof(*rows));
	if (ev->thin)
		return ignore(rows, IGNORED_THIN);
	if (strcmp(ev->type, ORDER_SNAPSHOT_TYPE) == 0)
		kind = find_kind(object_name(ev->object));
	else
		kind = type != NULL ? type->kind : NULL;
	if (kind == NULL)
		return ignore(rows, type != NULL && type->ignored != NULL ?
		    type->ignored : IGNORED_TYPE);
	if (strcmp(object_name(ev->object), kind->object) == 0) {
		if (reserve(&ctx, kind) == 0 &&
		    map_row(&ctx, kind->table, kind->order, false) == 0 &&
		    (kind->more == NULL || kind->more(&ctx) == 0) &&
		    map_links(&ctx, kind) == 0)
			return OUT_OK;
	} else
		wrong_object(&ctx, kind->object);
	rows->n = rows->nlinks = 0;
	return OUT_FAILED;
}
