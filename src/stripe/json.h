/*
 * JSON as RFC 8259 has it, over json-c: the tree of a text, or what is wrong
 * with the text. json-c alone takes more than the standard allows, and uses
 * hundreds of bytes for two of the text.
 */
#ifndef STRIPE_JSON_H
#define STRIPE_JSON_H

#include <stddef.h>

#include "base/outcome.h"

struct json_object;

enum { JSON_DEPTH = 64 };	/* objects and arrays within each other */

/*
 * Parses a text that should be an object. Returns OUT_OK and *root, which the
 * caller puts; OUT_BAD_JSON; or OUT_NO_EVENT for other JSON (a large text is
 * judged by its first character, since its tree would be for nothing). On error
 * why points to static text. Out of memory ends the process.
 */
enum outcome json_parse(struct json_object **root, const char *text,
    size_t len, const char **why) __attribute__((warn_unused_result));

/* A value's text, which is its own. Never NULL, as above. */
const char *json_text_of(struct json_object *json, size_t *len)
    __attribute__((returns_nonnull));

#endif
