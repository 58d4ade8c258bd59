/* What a setting's value must look like, beyond its type. */
#ifndef BASE_SETTING_RULE_H
#define BASE_SETTING_RULE_H

#include <stdbool.h>
#include <stddef.h>

struct report;
struct setting;

/* Reports what is wrong with the member's value, if its key has a rule. */
void rule_check(const struct setting *s, const void *member,
    const struct report *r);

/* Reports what is wrong with the nth (from 1) signing secret. */
void rule_signing_secret(const char *secret, size_t nth,
    const struct report *r);

/* Whether text looks like one of Stripe's secrets, so must not be shown. */
bool rule_looks_secret(const char *text);

/* What else to say where a required setting is missing, or "". */
const char *rule_missing_hint(const struct setting *s);

#define SETTING_BLANKS " \t\r\n\v\f"

/* Whether c is one of these; NUL is none. */
bool rule_blank(char c);

#endif
