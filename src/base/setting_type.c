/* How each type of setting is made from text, freed and compared. */
#include "base/setting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/setting_list.h"
#include "base/setting_rule.h"

/* Words are set through an int, whatever enum the member has. */
_Static_assert(sizeof(enum log_format) == sizeof(int) &&
    sizeof(enum livemode) == sizeof(int), "enums of settings are ints");

struct word {
	const char *name;
	int value;
};

static const struct word levels[] = {
	{ "error", LOG_ERR }, { "warning", LOG_WARNING },
	{ "notice", LOG_NOTICE }, { "info", LOG_INFO }, { "debug", LOG_DEBUG },
	{ NULL, 0 }
};
static const struct word formats[] = {
	{ "text", LOG_FORMAT_TEXT }, { "json", LOG_FORMAT_JSON }, { NULL, 0 }
};
static const struct word modes[] = {
	{ "live", LIVEMODE_LIVE }, { "test", LIVEMODE_TEST },
	{ "any", LIVEMODE_ANY }, { NULL, 0 }
};
static const struct word switches[] = {
	{ "on", 1 }, { "off", 0 }, { NULL, 0 }
};

static void
str_set(void *member, const struct setting *s, const char *text,
    const struct report *r)
{
	(void)s;
	(void)r;
	*(char **)member = mem_strdup(text);
}

static void
str_clear(void *member)
{
	setting_wipe_free(*(char **)member);
	*(char **)member = NULL;
}

static bool
str_equal(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

static void
int_set(void *member, const struct setting *s, const char *text,
    const struct report *r)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (strspn(text, "0123456789") != strlen(text) || *end != '\0' ||
	    errno != 0 || n < s->min || n > s->max)
		report_error(r, "'%.40s' is not a number from %ld to %ld",
		    text, s->min, s->max);
	else
		*(long *)member = n;
}

static void
int_clear(void *member)
{
	*(long *)member = 0;
}

static bool
int_equal(const void *a, const void *b)
{
	return *(const long *)a == *(const long *)b;
}

static void
word_set(void *member, const struct word *words, const char *text,
    const struct report *r)
{
	char all[64] = "";
	size_t len = 0;

	for (const struct word *w = words; w->name != NULL; w++) {
		if (strcasecmp(w->name, text) == 0) {
			*(int *)member = w->value;
			return;
		}
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s",
		    len > 0 ? ", " : "", w->name);
	}
	report_error(r, "'%.40s' is none of: %s", text, all);
}

static void
level_set(void *member, const struct setting *s, const char *text,
    const struct report *r)
{
	(void)s;
	word_set(member, levels, text, r);
}

static void
format_set(void *member, const struct setting *s, const char *text,
    const struct report *r)
{
	(void)s;
	word_set(member, formats, text, r);
}

static void
mode_set(void *member, const struct setting *s, const char *text,
    const struct report *r)
{
	(void)s;
	word_set(member, modes, text, r);
}

static void
switch_set(void *member, const struct setting *s, const char *text,
    const struct report *r)
{
	(void)s;
	word_set(member, switches, text, r);
}

static void
word_clear(void *member)
{
	*(int *)member = 0;
}

static bool
word_equal(const void *a, const void *b)
{
	return *(const int *)a == *(const int *)b;
}

static const struct type {
	void (*set)(void *member, const struct setting *s, const char *text,
	    const struct report *r);
	void (*clear)(void *member);
	bool (*equal)(const void *a, const void *b);
} types[SETTING_TYPE__MAX] = {
	[SETTING_STR] = { str_set, str_clear, str_equal },
	[SETTING_PATH] = { str_set, str_clear, str_equal },
	[SETTING_INT] = { int_set, int_clear, int_equal },
	[SETTING_LIST] = { list_set, list_clear, list_equal },
	[SETTING_SECRETS] = { secrets_set, secrets_clear, secrets_equal },
	[SETTING_LEVEL] = { level_set, word_clear, word_equal },
	[SETTING_FORMAT] = { format_set, word_clear, word_equal },
	[SETTING_MODE] = { mode_set, word_clear, word_equal },
	[SETTING_SWITCH] = { switch_set, word_clear, word_equal },
};

void
setting_set(struct config *cfg, const struct setting *s, const char *text,
    const struct report *r)
{
	void *member = (char *)cfg + s->offset;

	types[s->type].set(member, s, text, r);
	rule_check(s, member, r);
}

void
setting_clear(struct config *cfg, const struct setting *s)
{
	types[s->type].clear((char *)cfg + s->offset);
}

bool
setting_equal(const struct config *a, const struct config *b,
    const struct setting *s)
{
	return types[s->type].equal((const char *)a + s->offset,
	    (const char *)b + s->offset);
}
