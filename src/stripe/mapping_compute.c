/* Columns whose value is more than what stands at a path. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "stripe/event.h"
#include "stripe/json.h"
#include "stripe/mapping_int.h"

/* A user id's value: a number counts as its digits, "" as none. */
static int
user_id(struct map_ctx *ctx, const char *key, struct json_object *json,
    struct value *v)
{
	const char *digits;
	size_t len;

	if (json_object_is_type(json, json_type_int)) {
		digits = json_text_of(json, &len);
		map_set_bytes(ctx, v, digits, len);
		return 0;
	}
	if (!json_object_is_type(json, json_type_string))
		return map_fail(ctx, key, "a string", json);
	if (map_string(ctx, json, USER_ID_MAX, v) != 0)
		return -1;
	if (v->len == 0)
		*v = (struct value){ .type = VALUE_NULL };
	return 0;
}

/*
 * Walks the alternatives of the column's path: an object is metadata, in
 * which the setting's keys are looked for in order, anything else is the id.
 */
int
map_compute_user_id(struct map_ctx *ctx, struct value *v)
{
	const struct strings *keys = ctx->user_keys;
	const char *path = ctx->col->path;
	struct json_object *leaf, *json;

	while (path != NULL && v->type == VALUE_NULL) {
		if (map_find_next(ctx, &path, &leaf) != 0)
			return -1;
		if (leaf == NULL)
			continue;
		if (!json_object_is_type(leaf, json_type_object)) {
			if (user_id(ctx, NULL, leaf, v) != 0)
				return -1;
			continue;
		}
		for (size_t i = 0; i < keys->n && v->type == VALUE_NULL; i++)
			if (json_object_object_get_ex(leaf, keys->s[i],
			    &json) && json != NULL &&
			    user_id(ctx, keys->s[i], json, v) != 0)
				return -1;
	}
	return 0;
}

/*
 * True if the event's type ends in the alternative that begins with a dot, or
 * the boolean at the other one is true; else false.
 */
int
map_compute_flag(struct map_ctx *ctx, struct value *v)
{
	const char *ending = ctx->col->path, *path = strchr(ending, '|');
	const char *last = strrchr(ctx->ev->type, '.');
	size_t len = strcspn(ending, "|");
	struct json_object *leaf = NULL;

	v->type = VALUE_INT;
	v->i = ctx->own && last != NULL && strlen(last) == len &&
	    strncmp(last, ending, len) == 0;
	if (path == NULL || v->i)
		return 0;
	if (map_find(ctx, path + 1, &leaf) != 0)
		return -1;
	if (leaf != NULL && !json_object_is_type(leaf, json_type_boolean))
		return map_fail(ctx, NULL, "true or false", leaf);
	v->i = json_object_get_boolean(leaf);
	return 0;
}

/* What user_subscriptions.items tells of each item. */
static const struct column item_cols[] = {
	{ .name = "price", .path = "/price|/plan", .type = COL_ID },
	{ .name = "product", .path = "/price?/product|/plan?/product",
	    .type = COL_ID },
	{ .name = "quantity", .path = "/quantity", .type = COL_INT },
	{ .name = "unit_amount", .path = "/price?/unit_amount|/plan?/amount",
	    .type = COL_INT },
	{ .name = "unit_amount_decimal", .path =
	    "/price?/unit_amount_decimal|/plan?/amount_decimal",
	    .type = COL_STR },
	{ .name = "currency", .path = "/price?/currency|/plan?/currency",
	    .type = COL_STR },
	{ .name = "interval", .path =
	    "/price?/recurring/interval|/plan?/interval", .type = COL_STR },
	{ .name = "interval_count", .path =
	    "/price?/recurring/interval_count|/plan?/interval_count",
	    .type = COL_INT },
	{ .name = "usage_type", .path =
	    "/price?/recurring/usage_type|/plan?/usage_type",
	    .type = COL_STR },
	{ .name = "current_period_start", .path = "/current_period_start",
	    .type = COL_TIME },
	{ .name = "current_period_end", .path = "/current_period_end",
	    .type = COL_TIME },
};

/* The same context, but with paths that start in an entry of a list. */
static struct map_ctx
inside(const struct map_ctx *ctx, struct json_object *object,
    char *base, size_t size, const char *list, size_t i)
{
	struct map_ctx sub = *ctx;

	snprintf(base, size, "%s.%s.%zu", ctx->base, list, i);
	sub.object = object;
	sub.base = base;
	sub.own = false;
	return sub;
}

static struct json_object *
json_of(const struct value *v)
{
	switch (v->type) {
	case VALUE_INT:
	case VALUE_TIME:
		return json_object_new_int64(v->i);
	case VALUE_BYTES:
		return json_object_new_string_len(v->s, (int)v->len);
	case VALUE_NULL:
		break;
	}
	return NULL;
}

/* Before basil the subscription had the period of all its items. */
static int
period_of_old(struct map_ctx *ctx, const struct column *col, struct value *v)
{
	return col->type == COL_TIME && v->type == VALUE_NULL ?
	    map_value(ctx, col, v) : 0;
}

static int
put_item(struct map_ctx *ctx, struct json_object *item, size_t i,
    struct json_object *out)
{
	char base[64];
	struct map_ctx sub = inside(ctx, item, base, sizeof(base),
	    "items.data", i);
	struct value v;

	for (size_t c = 0; c < sizeof(item_cols) / sizeof(item_cols[0]); c++) {
		if (map_value(&sub, &item_cols[c], &v) != 0 ||
		    period_of_old(ctx, &item_cols[c], &v) != 0)
			return -1;
		json_object_object_add_ex(out, item_cols[c].name, json_of(&v),
		    JSON_C_OBJECT_ADD_KEY_IS_NEW |
		    JSON_C_OBJECT_ADD_CONSTANT_KEY);
	}
	return 0;
}

int
map_compute_items(struct map_ctx *ctx, struct value *v)
{
	struct json_object *list, *all, *out;
	const char *text;
	size_t n, len;
	int rc;

	if ((rc = map_find_list(ctx, ctx->col->path, &list, &n)) != 0 ||
	    list == NULL)
		return rc;
	all = json_object_new_array_ext((int)n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		out = json_object_new_object();
		json_object_array_add(all, out);
		rc = put_item(ctx, json_object_array_get_idx(list, i), i, out);
	}
	if (rc == 0) {
		text = json_text_of(all, &len);
		map_set_bytes(ctx, v, text, len);
	}
	json_object_put(all);
	return rc;
}

/*
 * The column's own name in every item: the least of them, or the greatest.
 * Without any it is the subscription's, which had it before basil.
 */
static int
period(struct map_ctx *ctx, struct value *v, bool greatest)
{
	const struct column *col = ctx->col;
	struct json_object *list;
	struct value one;
	size_t n;

	if (map_find_list(ctx, "/items/data", &list, &n) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		char base[64];
		struct map_ctx sub = inside(ctx,
		    json_object_array_get_idx(list, i), base, sizeof(base),
		    "items.data", i);

		if (map_value(&sub, col, &one) != 0)
			return -1;
		if (one.type != VALUE_NULL && (v->type == VALUE_NULL ||
		    (greatest ? one.i > v->i : one.i < v->i)))
			*v = one;
	}
	return v->type != VALUE_NULL ? 0 : map_value(ctx, col, v);
}

int
map_compute_period_start(struct map_ctx *ctx, struct value *v)
{
	return period(ctx, v, false);
}

int
map_compute_period_end(struct map_ctx *ctx, struct value *v)
{
	return period(ctx, v, true);
}

/*
 * Of a fetched payment the time of its charge, if that was fetched with it
 * and took the money at once; when it was fetched says nothing.
 */
static int
charged_at(struct map_ctx *ctx, struct value *v)
{
	struct json_object *json;

	if (map_find(ctx, "/capture_method", &json) != 0)
		return -1;
	if (json_object_is_type(json, json_type_string) &&
	    strcmp(json_object_get_string(json), "manual") == 0)
		return 0;
	if (map_find(ctx, "/latest_charge?/created", &json) != 0)
		return -1;
	if (json_object_is_type(json, json_type_int)) {
		v->type = VALUE_TIME;
		v->i = json_object_get_int64(json);
	}
	return 0;
}

/* When the event was made that says so; the column keeps the least. */
int
map_compute_succeeded_at(struct map_ctx *ctx, struct value *v)
{
	struct json_object *status;

	if (map_find(ctx, ctx->col->path, &status) != 0)
		return -1;
	if (status == NULL ||
	    strcmp(json_object_get_string(status), "succeeded") != 0)
		return 0;
	if (strcmp(ctx->ev->type, ORDER_SNAPSHOT_TYPE) == 0)
		return charged_at(ctx, v);
	v->type = VALUE_TIME;
	v->i = ctx->ev->created;
	return 0;
}

/* Plans, which have no type, are what prices call recurring. */
int
map_compute_plan_type(struct map_ctx *ctx, struct value *v)
{
	struct json_object *interval = NULL;

	if (map_value(ctx, ctx->col, v) != 0)
		return -1;
	if (v->type == VALUE_NULL &&
	    json_object_object_get_ex(ctx->object, "interval", &interval) &&
	    interval != NULL)
		*v = (struct value){ .type = VALUE_BYTES, .s = "recurring",
		    .len = strlen("recurring") };
	return 0;
}
