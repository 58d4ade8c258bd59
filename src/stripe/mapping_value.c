/*
 * Values of a payload: finding one by its path, and checking that it is what
 * its column takes. Nothing is converted by guess: "12" is not a number, 1.5
 * not an amount.
 */
#include <json-c/json.h>
#include <obstack.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stripe/json.h"
#include "stripe/mapping_int.h"

enum { SEGMENT_MAX = 64 };	/* bytes of a path's part: they are ours */

/* The last second of the year 9999, where DATETIME ends. */
#define TIME_MAX INT64_C(253402300799)

/* The child of that name, NULL if there is none. Arrays are indexed. */
static struct json_object *
child(struct json_object *node, const char *name, size_t len)
{
	char segment[SEGMENT_MAX];
	struct json_object *found = NULL;

	if (len >= sizeof(segment))
		abort();
	memcpy(segment, name, len);
	segment[len] = '\0';
	if (json_object_is_type(node, json_type_array))
		return json_object_array_get_idx(node,
		    strtoul(segment, NULL, 10));
	json_object_object_get_ex(node, segment, &found);
	return found;
}

int
map_find_next(struct map_ctx *ctx, const char **path,
    struct json_object **leaf)
{
	const char *at = *path, *end = strchrnul(at, '|');
	struct json_object *node = ctx->object;
	bool may_be_id = false;

	ctx->path = at;
	ctx->path_len = (size_t)(end - at);
	*path = *end == '|' ? end + 1 : NULL;
	*leaf = NULL;
	while (node != NULL && at < end) {
		size_t len = strcspn(at + 1, "/|?");
		bool list = at[1] >= '0' && at[1] <= '9';

		if (may_be_id && json_object_is_type(node, json_type_string))
			return 0;
		if (!json_object_is_type(node,
		    list ? json_type_array : json_type_object)) {
			ctx->path_len = (size_t)(at - ctx->path);
			return map_fail(ctx, NULL,
			    list ? "a list" : "an object", node);
		}
		node = child(node, at + 1, len);
		at += 1 + len;
		may_be_id = *at == '?';
		at += may_be_id;
	}
	*leaf = node;
	return 0;
}

int
map_find(struct map_ctx *ctx, const char *path, struct json_object **leaf)
{
	*leaf = NULL;
	while (path != NULL && *leaf == NULL)
		if (map_find_next(ctx, &path, leaf) != 0)
			return -1;
	return 0;
}

int
map_find_list(struct map_ctx *ctx, const char *path,
    struct json_object **list, size_t *n)
{
	*n = 0;
	if (map_find(ctx, path, list) != 0)
		return -1;
	if (*list == NULL)
		return 0;
	if (!json_object_is_type(*list, json_type_array))
		return map_fail(ctx, NULL, "a list", *list);
	*n = json_object_array_length(*list);
	if (*n > ITEMS_MAX)
		return map_fail(ctx, NULL, "the list is too long", NULL);
	return 0;
}

void
map_set_bytes(struct map_ctx *ctx, struct value *v, const char *s, size_t len)
{
	v->type = VALUE_BYTES;
	v->s = obstack_copy0(ctx->mem, s, len);
	v->len = len;
}

int
map_string(struct map_ctx *ctx, struct json_object *json, unsigned max,
    struct value *v)
{
	char expected[64];
	const char *s;
	size_t len;

	if (!json_object_is_type(json, json_type_string))
		return map_fail(ctx, NULL, "a string", json);
	s = json_object_get_string(json);
	len = (size_t)json_object_get_string_len(json);
	if (memchr(s, '\0', len) != NULL)
		return map_fail(ctx, NULL, "no NUL character", json);
	if (len > max && map_characters(s, len) > max) {
		snprintf(expected, sizeof(expected),
		    "at most %u characters", max);
		return map_fail(ctx, NULL, expected, json);
	}
	map_set_bytes(ctx, v, s, len);
	return 0;
}

int
map_id(struct map_ctx *ctx, struct json_object *json, struct value *v)
{
	struct json_object *id = json;
	const char *s;
	size_t len;

	if (json_object_is_type(json, json_type_object) &&
	    !json_object_object_get_ex(json, "id", &id))
		return map_fail(ctx, "id", "missing", NULL);
	if (!json_object_is_type(id, json_type_string))
		return map_fail(ctx, id == json ? NULL : "id", "an id", id);
	s = json_object_get_string(id);
	len = (size_t)json_object_get_string_len(id);
	for (size_t i = 0; i < len; i++)
		if (s[i] < ' ' || s[i] > '~')
			return map_fail(ctx, NULL, "an id of ASCII "
			    "characters", id);
	if (len > STR_MAX)
		return map_fail(ctx, NULL, "an id of at most 255 characters",
		    id);
	/* "" names nothing. */
	if (len > 0)
		map_set_bytes(ctx, v, s, len);
	return 0;
}

static int
put_string(struct map_ctx *ctx, struct json_object *json, struct value *v)
{
	return map_string(ctx, json, ctx->col->max ? ctx->col->max : STR_MAX,
	    v);
}

/* json-c saturates numbers that don't fit: its limits stand for those. */
static bool
fits(struct json_object *json)
{
	return json_object_get_uint64(json) <= INT64_MAX &&
	    json_object_get_int64(json) > INT64_MIN;
}

static int
put_int(struct map_ctx *ctx, struct json_object *json, struct value *v)
{
	if (!json_object_is_type(json, json_type_int))
		return map_fail(ctx, NULL, "an integer", json);
	if (!fits(json))
		return map_fail(ctx, NULL, "an integer of 64 bits", json);
	v->type = VALUE_INT;
	v->i = json_object_get_int64(json);
	return 0;
}

static int
put_bool(struct map_ctx *ctx, struct json_object *json, struct value *v)
{
	if (!json_object_is_type(json, json_type_boolean))
		return map_fail(ctx, NULL, "true or false", json);
	v->type = VALUE_INT;
	v->i = json_object_get_boolean(json);
	return 0;
}

static int
put_time(struct map_ctx *ctx, struct json_object *json, struct value *v)
{
	if (!json_object_is_type(json, json_type_int))
		return map_fail(ctx, NULL, "an integer (unix seconds)", json);
	if (!fits(json) || json_object_get_int64(json) < 0 ||
	    json_object_get_int64(json) > TIME_MAX)
		return map_fail(ctx, NULL,
		    "unix seconds from 0 to 253402300799", json);
	v->type = VALUE_TIME;
	v->i = json_object_get_int64(json);
	return 0;
}

static int
put_json(struct map_ctx *ctx, struct json_object *json, struct value *v)
{
	size_t len;
	const char *s = json_text_of(json, &len);

	map_set_bytes(ctx, v, s, len);
	return 0;
}

static int
put_sha256(struct map_ctx *ctx, struct json_object *json, struct value *v)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	if (!json_object_is_type(json, json_type_string))
		return map_fail(ctx, NULL, "a string", json);
	SHA256((const unsigned char *)json_object_get_string(json),
	    (size_t)json_object_get_string_len(json), digest);
	map_set_bytes(ctx, v, (const char *)digest, sizeof(digest));
	return 0;
}

int
map_value(struct map_ctx *ctx, const struct column *col, struct value *v)
{
	static int (*const put[])(struct map_ctx *, struct json_object *,
	    struct value *) = {
		[COL_STR] = put_string,
		[COL_ID] = map_id,
		[COL_INT] = put_int,
		[COL_BOOL] = put_bool,
		[COL_TIME] = put_time,
		[COL_JSON] = put_json,
		[COL_SHA256] = put_sha256,
	};
	struct json_object *leaf;

	*v = (struct value){ .type = VALUE_NULL };
	ctx->col = col;
	if (map_find(ctx, col->path, &leaf) != 0)
		return -1;
	return leaf == NULL ? 0 : put[col->type](ctx, leaf, v);
}
