/*
 * Which object names which. A link is kept from every payload that carries
 * one, since generations differ in what they carry.
 */
#include <json-c/json.h>
#include <string.h>

#include "stripe/event.h"
#include "stripe/mapping_int.h"

/* An id at a path; *id stays NULL if there is none. */
static int
find_id(struct map_ctx *ctx, const char *path, const char **id)
{
	struct column col = { .name = "id", .path = path, .type = COL_ID };
	struct value v;
	int rc = map_value(ctx, &col, &v);

	ctx->col = NULL;
	if (rc == 0 && v.type == VALUE_BYTES)
		*id = v.s;
	return rc;
}

/*
 * Free text of a merchant, which Stripe fills with the invoice's id, at times
 * cut to 25 characters: only a whole id counts.
 */
static int
find_hint(struct map_ctx *ctx, const char *path, const char **id)
{
	static const char alnum[] = "0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct json_object *json;
	struct value v;
	const char *s;
	size_t len;

	if (map_find(ctx, path, &json) != 0)
		return -1;
	if (!json_object_is_type(json, json_type_string))
		return 0;
	s = json_object_get_string(json);
	len = (size_t)json_object_get_string_len(json);
	if (len >= strlen("in_") + 24 && len <= STR_MAX &&
	    strncmp(s, "in_", 3) == 0 && 3 + strspn(s + 3, alnum) == len) {
		map_set_bytes(ctx, &v, s, len);
		*id = v.s;
	}
	return 0;
}

static int
put_link(struct map_ctx *ctx, const struct link_rule *rule,
    struct json_object *to)
{
	struct map_ctx sub = *ctx;
	struct link *link = &ctx->rows->link[ctx->rows->nlinks];

	*link = (struct link){ .kind = rule->kind };
	sub.object = to;
	if (find_id(&sub, rule->to, &link->to_id) != 0 ||
	    (rule->hint ? find_hint : find_id)(ctx, rule->from,
	    &link->from_id) != 0)
		return -1;
	if (link->from_id != NULL && link->to_id != NULL)
		ctx->rows->nlinks++;
	return 0;
}

/* Whether the event's type ends in that word. */
static bool
type_ends(const struct event *ev, const char *word)
{
	const char *dot = strrchr(ev->type, '.');

	return word != NULL && dot != NULL && strcmp(dot + 1, word) == 0;
}

int
map_links(struct map_ctx *ctx, const struct map_kind *kind)
{
	struct json_object *list;
	size_t n;

	for (size_t i = 0; i < kind->nlinks; i++) {
		const struct link_rule *rule = &kind->links[i];

		if (type_ends(ctx->ev, rule->unless))
			continue;
		if (rule->list == NULL) {
			if (put_link(ctx, rule, ctx->object) != 0)
				return -1;
			continue;
		}
		if (map_find_list(ctx, rule->list, &list, &n) != 0)
			return -1;
		for (size_t k = 0; k < n; k++)
			if (put_link(ctx, rule,
			    json_object_array_get_idx(list, k)) != 0)
				return -1;
	}
	return 0;
}
