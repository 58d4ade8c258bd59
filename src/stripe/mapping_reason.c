/* Says what is wrong with a payload, for webhook_events.error. */
#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stripe/mapping_int.h"

enum { SHOWN_MAX = 40 };	/* characters of a value */

/* What comes here was checked to be UTF-8: see json.h. */
static bool
begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t
map_characters(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += begins_character(s[i]);
	return n;
}

/* Writes a string's beginning; control characters become '?'. */
static void
show_string(FILE *out, struct json_object *json)
{
	const char *s = json_object_get_string(json);
	size_t len = (size_t)json_object_get_string_len(json), shown = 0;

	fputs("a string", out);
	/* No one's client_secret, wherever it strayed to. */
	if (memmem(s, len, "_secret_", strlen("_secret_")) != NULL)
		return;
	fputs(" \"", out);
	for (; len > 0; s++, len--) {
		if (begins_character(*s) && shown++ == SHOWN_MAX)
			break;
		fputc(iscntrl((unsigned char)*s) ? '?' : *s, out);
	}
	fputs(len > 0 ? "…\"" : "\"", out);
}

static void
show_value(FILE *out, struct json_object *json, bool secret)
{
	switch (json_object_get_type(json)) {
	case json_type_null:
		fputs("null", out);
		break;
	case json_type_object:
		fputs("an object", out);
		break;
	case json_type_array:
		fputs("a list", out);
		break;
	case json_type_string:
		if (secret)
			fputs("another string", out);
		else
			show_string(out, json);
		break;
	case json_type_boolean:
	case json_type_int:
	case json_type_double:
		if (secret)
			fputs("something else", out);
		else
			fprintf(out, "%.*s", SHOWN_MAX,
			    json_object_to_json_string(json));
		break;
	}
}

/* Writes the path as one reads it: data.object.items.data.0.price */
static void
show_path(FILE *out, const struct map_ctx *ctx, const char *key)
{
	fputs(ctx->base, out);
	for (size_t i = 0; i < ctx->path_len; i++)
		if (ctx->path[i] != '?')
			fputc(ctx->path[i] == '/' ? '.' : ctx->path[i], out);
	if (key != NULL)
		fprintf(out, ".%s", key);
}

int
map_fail(struct map_ctx *ctx, const char *key, const char *expected,
    struct json_object *found)
{
	char *text = NULL;
	size_t len;
	bool secret = ctx->col != NULL && ctx->col->type == COL_SHA256;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		abort();
	show_path(out, ctx, key);
	if (found == NULL)
		fprintf(out, ": %s", expected);
	else {
		fprintf(out, ": expected %s, found ", expected);
		show_value(out, found, secret);
	}
	if (fclose(out) != 0)
		abort();
	if (len >= REASON_MAX)
		for (len = REASON_MAX - 1; !begins_character(text[len]); )
			len--;
	memcpy(ctx->rows->reason, text, len);
	ctx->rows->reason[len] = '\0';
	free(text);
	return -1;
}
