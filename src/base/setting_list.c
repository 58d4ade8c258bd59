/* Comma-separated settings: lists of words, and signing secrets. */
#include "base/setting_list.h"

#include <string.h>

#include "base/mem.h"
#include "base/setting.h"
#include "base/setting_rule.h"

void
setting_wipe_free(char *s)
{
	if (s != NULL)
		explicit_bzero(s, strlen(s));
	free(s);
}

/* The next element of a comma-separated list; *rest is NULL after the last. */
static const char *
element(const char **rest, size_t *len)
{
	const char *start = *rest;

	*len = strcspn(start, ",");
	*rest = start[*len] == ',' ? start + *len + 1 : NULL;
	return start;
}

void
list_set(void *member, const struct setting *s, const char *text,
    const struct report *r)
{
	struct strings *list = member;
	const char *item;
	size_t len;

	(void)s;
	while (text != NULL) {
		item = element(&text, &len);
		for (; len > 0 && rule_blank(item[0]); item++)
			len--;
		while (len > 0 && rule_blank(item[len - 1]))
			len--;
		if (len == 0) {
			report_error(r, "an element of the list is empty; "
			    "check its commas");
			continue;
		}
		list->s = mem_reallocarray(list->s, list->n + 1,
		    sizeof(*list->s));
		list->s[list->n] = mem_calloc(len + 1, 1);
		memcpy(list->s[list->n++], item, len);
	}
}

void
list_clear(void *member)
{
	struct strings *list = member;

	for (size_t i = 0; i < list->n; i++)
		setting_wipe_free(list->s[i]);
	free(list->s);
	*list = (struct strings){ NULL, 0 };
}

bool
list_equal(const void *a, const void *b)
{
	const struct strings *x = a, *y = b;

	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++) {
		if (strcmp(x->s[i], y->s[i]) != 0)
			return false;
	}
	return true;
}

/* "live:" or "test:" before a secret, and the blanks before that, go. */
static enum livemode
take_mode(const char **item, size_t *len)
{
	static const struct {
		const char *prefix;
		enum livemode mode;
	} modes[] = {
		{ "live:", LIVEMODE_LIVE }, { "test:", LIVEMODE_TEST },
	};
	const char *end = *item + *len;
	const char *p = *item + strspn(*item, SETTING_BLANKS);

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		size_t n = strlen(modes[i].prefix);

		if (strncmp(p, modes[i].prefix, n) == 0) {
			*item = p + n;
			*len = (size_t)(end - *item);
			return modes[i].mode;
		}
	}
	return LIVEMODE_ANY;
}

void
secrets_set(void *member, const struct setting *s, const char *text,
    const struct report *r)
{
	struct signing_secrets *all = member;
	struct signing_secret *one;
	enum livemode mode;
	const char *item;
	size_t len;

	(void)s;
	while (text != NULL) {
		item = element(&text, &len);
		mode = take_mode(&item, &len);
		all->list = mem_reallocarray(all->list, all->n + 1,
		    sizeof(*all->list));
		one = &all->list[all->n++];
		one->text = mem_calloc(len + 1, 1);
		memcpy(one->text, item, len);
		one->len = len;
		one->mode = mode;
		rule_signing_secret(one->text, all->n, r);
	}
}

void
secrets_clear(void *member)
{
	struct signing_secrets *all = member;

	for (size_t i = 0; i < all->n; i++)
		setting_wipe_free(all->list[i].text);
	free(all->list);
	*all = (struct signing_secrets){ NULL, 0 };
}

bool
secrets_equal(const void *a, const void *b)
{
	const struct signing_secrets *x = a, *y = b;

	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++) {
		if (strcmp(x->list[i].text, y->list[i].text) != 0 ||
		    x->list[i].mode != y->list[i].mode)
			return false;
	}
	return true;
}
