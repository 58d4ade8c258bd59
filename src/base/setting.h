/* The table of settings and what a row of it can do; for config's own files. */
#ifndef BASE_SETTING_H
#define BASE_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/err.h"

enum setting_type {
	SETTING_STR, SETTING_PATH, SETTING_INT, SETTING_LIST, SETTING_SECRETS,
	SETTING_LEVEL, SETTING_FORMAT, SETTING_MODE, SETTING_SWITCH,
	SETTING_TYPE__MAX
};

/* Flags of config.tbl. */
enum {
	SECRET = 1, REQUIRED = 2, CTL = 4, SCRIPT = 8, FIXED = 16
};

struct setting {
	const char *key;
	enum setting_type type;
	const char *dflt;	/* as text, NULL for none */
	unsigned flags;
	long min, max;		/* of an INT */
	const char *help;
	size_t offset;		/* of its member in struct config */
};

enum {
#define SETTING(member, key, type, dflt, flags, min, max, help) \
	SETTING_AT_##member,
#include "base/config.tbl"
#undef SETTING
	SETTING__MAX
};

extern const struct setting settings[SETTING__MAX];

/* Where remarks about one value go, and the words they begin with. */
struct report {
	struct err *err, *notes;
	const char *where;	/* "FILE:LINE: KEY" or "environment: KEY" */
};

void report_error(const struct report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void report_note(const struct report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The setting of this name (len bytes), or NULL. */
const struct setting *setting_find(const char *key, size_t len);

/* The key that a misspelt one may mean, or NULL. */
const char *setting_nearest(const char *key, size_t len);

/*
 * Sets the member from text; what is wrong with it is reported. It holds then
 * what could be understood, to be freed in any case.
 */
void setting_set(struct config *cfg, const struct setting *s, const char *text,
    const struct report *r);

/* Frees and empties the member; a SECRET is wiped. */
void setting_clear(struct config *cfg, const struct setting *s);

bool setting_equal(const struct config *a, const struct config *b,
    const struct setting *s);

#endif
