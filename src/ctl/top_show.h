/* Two readings of the scoreboard, as text and as JSON. */
#ifndef CTL_TOP_SHOW_H
#define CTL_TOP_SHOW_H

#include <stdio.h>

struct json_object;
struct top_sample;

/* Writes lines of ASCII. */
void top_print(FILE *out, const struct top_sample *from,
    const struct top_sample *to);

/* The caller puts it. */
struct json_object *top_json(const struct top_sample *from,
    const struct top_sample *to);

#endif
