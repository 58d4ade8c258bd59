/* The types of settings that hold several values. */
#ifndef BASE_SETTING_LIST_H
#define BASE_SETTING_LIST_H

#include <stdbool.h>

struct report;
struct setting;

/* struct strings: blanks around an element don't count. */
void list_set(void *member, const struct setting *s, const char *text,
    const struct report *r);
void list_clear(void *member);
bool list_equal(const void *a, const void *b);

/* struct signing_secrets: verbatim, but for the mode before each. */
void secrets_set(void *member, const struct setting *s, const char *text,
    const struct report *r);
void secrets_clear(void *member);
bool secrets_equal(const void *a, const void *b);

void setting_wipe_free(char *s);

#endif
