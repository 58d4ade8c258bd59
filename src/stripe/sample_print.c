/* Prints JSON as Stripe does. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stripe/sample.h"

/* Longer names may follow: "id" before "object" before the rest. */
struct member {
	const char *key;
	struct json_object *value;
};

static int
rank(const char *key)
{
	return strcmp(key, "id") == 0 ? 0 : strcmp(key, "object") == 0 ? 1 : 2;
}

static int
compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int rx = rank(x->key), ry = rank(y->key);

	return rx != ry ? rx - ry : strcmp(x->key, y->key);
}

static void
indent(FILE *out, unsigned depth)
{
	fputc_unlocked('\n', out);
	while (depth-- > 0)
		fwrite_unlocked("  ", 1, 2, out);
}

/* Also what a browser might take for markup is written as \u00xx. */
static void
print_string(FILE *out, const char *s, size_t len)
{
	static const char escaped[] = "\"\\\b\f\n\r\t";
	static const char names[] = "\"\\bfnrt";
	const char *at;

	fputc_unlocked('"', out);
	for (; len > 0; s++, len--) {
		unsigned char c = (unsigned char)*s;

		if (c != '\0' && (at = strchr(escaped, c)) != NULL) {
			fputc_unlocked('\\', out);
			fputc_unlocked(names[at - escaped], out);
		} else if (c < ' ' || c == '&' || c == '<' || c == '>')
			fprintf(out, "\\u%04x", c);
		else
			fputc_unlocked(c, out);
	}
	fputc_unlocked('"', out);
}

static void print(FILE *out, struct json_object *json, enum sample_shape shape,
    unsigned depth);

static void
print_object(FILE *out, struct json_object *json, enum sample_shape shape,
    unsigned depth)
{
	size_t n = (size_t)json_object_object_length(json), i = 0;
	struct member *members = mem_calloc(n + 1, sizeof(*members));

	json_object_object_foreach(json, key, value)
		members[i++] = (struct member){ key, value };
	qsort(members, n, sizeof(*members), compare);
	fputc_unlocked('{', out);
	for (i = 0; i < n; i++) {
		if (i > 0)
			fputc_unlocked(',', out);
		indent(out, depth + 1);
		print_string(out, members[i].key, strlen(members[i].key));
		fwrite_unlocked(": ", 1, 2, out);
		print(out, members[i].value, shape, depth + 1);
	}
	indent(out, depth);
	fputc_unlocked('}', out);
	free(members);
}

static void
print_array(FILE *out, struct json_object *json, enum sample_shape shape,
    unsigned depth)
{
	size_t n = json_object_array_length(json);

	fputc_unlocked('[', out);
	if (n == 0 && shape == SAMPLE_ACACIA)
		fputc_unlocked('\n', out);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			fputc_unlocked(',', out);
		indent(out, depth + 1);
		print(out, json_object_array_get_idx(json, i), shape,
		    depth + 1);
	}
	indent(out, depth);
	fputc_unlocked(']', out);
}

static void
print(FILE *out, struct json_object *json, enum sample_shape shape,
    unsigned depth)
{
	switch (json_object_get_type(json)) {
	case json_type_object:
		print_object(out, json, shape, depth);
		break;
	case json_type_array:
		print_array(out, json, shape, depth);
		break;
	case json_type_string:
		print_string(out, json_object_get_string(json),
		    (size_t)json_object_get_string_len(json));
		break;
	case json_type_null:
		fwrite_unlocked("null", 1, 4, out);
		break;
	case json_type_boolean:
	case json_type_int:
	case json_type_double:
		fputs_unlocked(json_object_to_json_string(json), out);
		break;
	}
}

char *
sample_print(struct json_object *json, enum sample_shape shape, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (out == NULL)
		abort();
	print(out, json, shape, 0);
	if (fclose(out) != 0)
		abort();
	return text;
}
