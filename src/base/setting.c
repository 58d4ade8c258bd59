/* The table of settings, and finding a row of it. */
#include "base/setting.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/near.h"

const struct setting settings[SETTING__MAX] = {
#define SETTING(member, key, type, dflt, flags, min, max, help) \
	{ key, SETTING_##type, dflt, flags, min, max, help, \
	    offsetof(struct config, member) },
#include "base/config.tbl"
#undef SETTING
};

static void
report_to(struct err *err, const char *where, const char *fmt, va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	err_add(err, "%s: %s", where, text);
}

void
report_error(const struct report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_to(r->err, r->where, fmt, ap);
	va_end(ap);
}

void
report_note(const struct report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_to(r->notes, r->where, fmt, ap);
	va_end(ap);
}

const struct setting *
setting_find(const char *key, size_t len)
{
	for (size_t i = 0; i < SETTING__MAX; i++) {
		if (strncmp(settings[i].key, key, len) == 0 &&
		    settings[i].key[len] == '\0')
			return &settings[i];
	}
	return NULL;
}

/* The first key that begins with this one, as if its end were left out. */
static const char *
longer_key(const char *key, size_t len)
{
	for (size_t i = 0; i < SETTING__MAX; i++) {
		if (strncasecmp(settings[i].key, key, len) == 0)
			return settings[i].key;
	}
	return NULL;
}

const char *
setting_nearest(const char *key, size_t len)
{
	static const char prefix[] = "STRIPEHOOK_";
	const size_t plen = sizeof(prefix) - 1;
	const char *best = NULL;
	size_t distance, limit = 2;

	/* Behind our own prefix a key is surely meant for us: guess more. */
	if (len > plen && strncasecmp(key, prefix, plen) == 0) {
		if ((best = longer_key(key, len)) != NULL)
			return best;
		limit = len - plen < 8 ? (len - plen + 1) / 2 : 4;
	}
	for (size_t i = 0; i < SETTING__MAX; i++) {
		distance = near_distance(key, len, settings[i].key);
		if (distance <= limit) {
			best = settings[i].key;
			limit = distance - (distance > 0);
		}
	}
	return best;
}
