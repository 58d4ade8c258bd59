/* What the listings share: JSON, a line per object, and text for a terminal. */
#ifndef CTL_CTL_OUT_H
#define CTL_CTL_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct json_object;

/* Prints an object on a line of its own, and puts it. */
void out_json(struct json_object *o);

/* Adds a member; NULL becomes null. */
void out_text(struct json_object *o, const char *key, const char *s);
void out_int(struct json_object *o, const char *key, long long i);

/*
 * Writes text so that it can do nothing to a terminal: control characters, of
 * one byte or two, become '?'. It is cut after max characters (0: not cut).
 * Returns the number of characters.
 */
size_t out_safe(FILE *out, const char *text, size_t max);

/* Columns of the terminal that standard output is; 0 if it isn't one. */
size_t out_columns(void);

enum { ACTOR_MAX = 256 };

/* Who runs the tool: "alice@host", "root@host for alice" under sudo. */
void out_actor(char actor[ACTOR_MAX]);

#endif
