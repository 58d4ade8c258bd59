/* Which event types reconcile lists. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "ctl/endpoint.h"
#include "ctl/reconcile_int.h"

static void
add_type(struct strings *list, const char *type)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->s[i], type) == 0)
			return;
	list->s = mem_reallocarray(list->s, list->n + 1, sizeof(*list->s));
	list->s[list->n++] = mem_strdup(type);
}

void
listed_types_clear(struct listed_types *types)
{
	for (size_t i = 0; i < types->types.n; i++)
		free(types->types.s[i]);
	free(types->types.s);
	*types = (struct listed_types){ .all = false };
}

static const char *
text_of(struct json_object *object, const char *name)
{
	struct json_object *text;

	if (!json_object_object_get_ex(object, name, &text) ||
	    !json_object_is_type(text, json_type_string))
		return "";
	return json_object_get_string(text);
}

static bool
is_ours(struct json_object *endpoint)
{
	return strcmp(text_of(endpoint, "status"), "disabled") != 0 &&
	    endpoint_is_ours(endpoint);
}

/* Adds an endpoint's types; "*" stands for all. */
static void
add_endpoint(struct listed_types *types, struct json_object *endpoint)
{
	struct json_object *list;

	if (!is_ours(endpoint) || !json_object_object_get_ex(endpoint,
	    "enabled_events", &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *type = json_object_array_get_idx(list, i);

		if (!json_object_is_type(type, json_type_string))
			continue;
		if (strcmp(json_object_get_string(type), "*") == 0)
			types->all = true;
		else
			add_type(&types->types, json_object_get_string(type));
	}
}

int
reconcile_types(struct reconcile *r, struct listed_types *types,
    struct err *err)
{
	const struct strings *set = &r->f.cfg.reconcile_types;
	struct api_answer answer = { .json = NULL };
	struct err why = ERR_INIT;
	struct json_object *list;
	enum api_result result;
	bool more;

	*types = (struct listed_types){ .all = false };
	for (size_t i = 0; i < set->n; i++)
		add_type(&types->types, set->s[i]);
	if (set->n > 0)
		return 0;
	result = api_get(r->f.api, "/v1/webhook_endpoints?limit=100", "",
	    &answer, &why);
	if (result == API_KEY || result == API_UNREACHABLE) {
		err_add(err, "%.*s", (int)strcspn(why.text, "\n"), why.text);
		return -1;
	}
	/* A key that may not read endpoints is fine: see listed_types. */
	if (result == API_OK && (list = fetch_list(&answer, &more)) != NULL)
		for (size_t i = 0; i < json_object_array_length(list); i++)
			add_endpoint(types, json_object_array_get_idx(list,
			    i));
	api_answer_clear(&answer);
	if (types->all) {
		listed_types_clear(types);
		types->all = true;
	}
	return 0;
}
