/* Trees from templates, and the changes made to them. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stripe/sample_int.h"

enum { NAME_MAX_BYTES = 24 };

/* The text of a variable inside a string. */
static void
put_value(FILE *out, struct sample *s, const char *name, size_t len)
{
	char copy[NAME_MAX_BYTES] = "";
	struct json_object *value;

	if (len >= sizeof(copy))
		abort();
	memcpy(copy, name, len);
	value = sample_value(s, copy);
	fputs(json_object_get_string(value), out);
	json_object_put(value);
}

/* A string with each $(name) replaced. */
static struct json_object *
expand(struct sample *s, const char *text)
{
	struct json_object *json;
	char *buf = NULL;
	const char *at, *end;
	size_t len;
	FILE *out = open_memstream(&buf, &len);

	if (out == NULL)
		abort();
	while ((at = strstr(text, "$(")) != NULL) {
		fwrite(text, 1, (size_t)(at - text), out);
		end = strchr(at, ')');
		put_value(out, s, at + 2, (size_t)(end - at - 2));
		text = end + 1;
	}
	fputs(text, out);
	if (fclose(out) != 0)
		abort();
	json = json_object_new_string_len(buf, (int)len);
	free(buf);
	return json;
}

static struct json_object *
build_string(struct sample *s, struct json_object *json)
{
	const char *text = json_object_get_string(json);

	if (text[0] == '@')
		return sample_build(s,
		    s->templates[sample_template_find(text + 1)]);
	if (strstr(text, "$(") != NULL)
		return expand(s, text);
	if (text[0] == '$' && strcmp(text, "$none") != 0)
		return sample_value(s, text + 1);
	return json_object_get(json);
}

/* The key without its mark; NULL if the shape doesn't have it. */
static const char *
unmarked(const struct sample *s, const char *key)
{
	if (*key != '+' && *key != '-')
		return key;
	return (*key == '+') == (s->opt.shape == SAMPLE_BASIL) ? key + 1 :
	    NULL;
}

struct json_object *
sample_build(struct sample *s, struct json_object *text)
{
	struct json_object *made;
	const char *name;
	size_t n;

	switch (json_object_get_type(text)) {
	case json_type_object:
		made = json_object_new_object();
		json_object_object_foreach(text, key, value)
			if ((name = unmarked(s, key)) != NULL)
				json_object_object_add(made, name,
				    sample_build(s, value));
		return made;
	case json_type_array:
		n = json_object_array_length(text);
		made = json_object_new_array_ext((int)n);
		for (size_t i = 0; i < n; i++)
			json_object_array_add(made, sample_build(s,
			    json_object_array_get_idx(text, i)));
		return made;
	case json_type_string:
		return build_string(s, text);
	case json_type_null:
	case json_type_boolean:
	case json_type_int:
	case json_type_double:
		break;
	}
	return json_object_get(text);
}

static bool
is_none(struct json_object *json)
{
	return json_object_is_type(json, json_type_string) &&
	    strcmp(json_object_get_string(json), "$none") == 0;
}

/* The first old value is that of the last event. */
static void
remember(struct json_object *previous, const char *key,
    struct json_object *value)
{
	if (previous != NULL &&
	    !json_object_object_get_ex(previous, key, NULL))
		json_object_object_add(previous, key, json_object_get(value));
}

static bool
holds_objects(struct json_object *json)
{
	return json_object_is_type(json, json_type_array) &&
	    json_object_array_length(json) > 0 &&
	    json_object_is_type(json_object_array_get_idx(json, 0),
	    json_type_object);
}

/* Entries are merged one by one, since lists here have one. */
static void
merge_array(struct json_object *list, struct json_object *patch,
    const char *key, struct json_object *previous)
{
	struct json_object *old = NULL;
	size_t n = json_object_array_length(patch);

	if (json_object_deep_copy(list, &old, NULL) != 0)
		abort();
	for (size_t i = 0; i < n && i < json_object_array_length(list); i++)
		sample_merge(json_object_array_get_idx(list, i),
		    json_object_array_get_idx(patch, i), NULL);
	if (!json_object_equal(old, list))
		remember(previous, key, old);
	json_object_put(old);
}

static void
merge_object(struct json_object *object, struct json_object *patch,
    const char *key, struct json_object *previous)
{
	struct json_object *inner = NULL;

	if (previous == NULL) {
		sample_merge(object, patch, NULL);
		return;
	}
	if (json_object_object_get_ex(previous, key, &inner))
		json_object_get(inner);
	else
		inner = json_object_new_object();
	sample_merge(object, patch, inner);
	if (json_object_object_length(inner) > 0)
		remember(previous, key, inner);
	json_object_put(inner);
}

void
sample_merge(struct json_object *object, struct json_object *patch,
    struct json_object *previous)
{
	json_object_object_foreach(patch, key, value) {
		struct json_object *old = NULL;

		json_object_object_get_ex(object, key, &old);
		if (is_none(value))
			json_object_object_del(object, key);
		else if (json_object_is_type(value, json_type_object) &&
		    json_object_object_length(value) > 0 &&
		    json_object_is_type(old, json_type_object))
			merge_object(old, value, key, previous);
		else if (holds_objects(value) && holds_objects(old))
			merge_array(old, value, key, previous);
		else if (!json_object_equal(old, value)) {
			remember(previous, key, old);
			json_object_object_add(object, key,
			    json_object_get(value));
		}
	}
}
