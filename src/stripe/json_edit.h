/*
 * Edits of a JSON text in place: some values, and no other byte, so that it
 * keeps its form, its order and its numbers. Pure.
 */
#ifndef STRIPE_JSON_EDIT_H
#define STRIPE_JSON_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A value in the text. */
struct json_place {
	const char *name;	/* of the member; "" in an array */
	const char *pointer;	/* to it, as RFC 6901 has it */
	const char *text;	/* not ended by NUL */
	size_t len;
};

/* Writes something else for the value and returns true; false leaves it. */
typedef bool json_edit_fn(FILE *out, const struct json_place *v,
    const void *arg);

/*
 * Asks edit about each value, one inside another after it. Returns the edited
 * text, which the caller frees, its length and the number of edits; or NULL if
 * the text isn't JSON, or is nested more than JSON_DEPTH deep. What isn't a
 * bracket, a name or a string isn't judged.
 */
char *json_edit(const char *text, size_t len, json_edit_fn *edit,
    const void *arg, size_t *out_len, size_t *edits)
    __attribute__((warn_unused_result));

#endif
