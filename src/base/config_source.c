/* Where settings are said: lines of files, and the environment. */
#include "base/config_source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/envfile.h"
#include "base/mem.h"

static const char environment[] = "environment";

static bool
prefixed(const char *key, size_t len)
{
	static const char prefix[] = "STRIPEHOOK_";

	return len >= sizeof(prefix) - 1 &&
	    strncasecmp(key, prefix, sizeof(prefix) - 1) == 0;
}

/*
 * The setting that a key is about. A key that itself ends in _FILE
 * (STRIPEHOOK_LOG_FILE) is no path of another's value.
 */
static const struct setting *
key_setting(const char *key, size_t len, bool *is_path)
{
	static const char suffix[] = "_FILE";
	const size_t slen = sizeof(suffix) - 1;
	const struct setting *s = setting_find(key, len);

	*is_path = false;
	if (s == NULL && len > slen &&
	    memcmp(key + len - slen, suffix, slen) == 0) {
		*is_path = true;
		s = setting_find(key, len - slen);
	}
	return s;
}

static bool
is_ours(const char *key, size_t len)
{
	bool is_path;

	return prefixed(key, len) || key_setting(key, len, &is_path) != NULL;
}

/* A key that is no setting: an error if it must have been meant as one. */
static void
unknown_key(const char *key, size_t len, bool in_file, const struct report *r)
{
	const char *near = setting_nearest(key, len);
	bool names_file = len == sizeof(CONFIG_FILE_KEY) - 1 &&
	    strncmp(key, CONFIG_FILE_KEY, len) == 0;

	if (names_file && !in_file)
		return;
	if (names_file)
		report_error(r, "names the settings file, so only the "
		    "environment can set it");
	else if (prefixed(key, len) && in_file)
		report_error(r, "is not a setting%s%s%s",
		    near != NULL ? "; did you mean " : "",
		    near != NULL ? near : "", near != NULL ? "?" : "");
	else if (prefixed(key, len) || near != NULL)
		report_note(r, "is not a setting and ignored%s%s%s",
		    near != NULL ? "; did you mean " : "",
		    near != NULL ? near : "", near != NULL ? "?" : "");
}

void
config_where(char where[CONFIG_WHERE_MAX], const char *source, unsigned line,
    const char *key, size_t len)
{
	if (line > 0)
		snprintf(where, CONFIG_WHERE_MAX, "%s:%u: %.*s", source, line,
		    (int)(len < 100 ? len : 100), key);
	else
		snprintf(where, CONFIG_WHERE_MAX, "%s: %.*s", source,
		    (int)(len < 100 ? len : 100), key);
}

void
config_raw_clear(struct config_raw *raw)
{
	if (raw->text != NULL)
		explicit_bzero(raw->text, strlen(raw->text));
	free(raw->text);
	*raw = (struct config_raw){ .text = NULL };
}

/* Keeps what one line says, in the place of what was said before. */
static void
raw_store(struct config_raw *raw, const char *value,
    const struct config_raw *from, const struct report *r)
{
	if (raw->text != NULL && raw->source == from->source) {
		if (raw->is_path != from->is_path && *value == '\0')
			return;
		if (raw->is_path != from->is_path && *raw->text != '\0')
			report_error(r, "is set with and without _FILE in "
			    "the same place; keep one of them");
		else if (raw->is_path == from->is_path && from->line > 0)
			report_note(r, "wins over the same in line %u",
			    raw->line);
	}
	config_raw_clear(raw);
	*raw = *from;
	raw->text = mem_strdup(value);
}

/* Returns the setting that the key is about, if it is any. */
static const struct setting *
take(struct config_loader *l, struct config_raw *all, const char *key,
    size_t len, const char *value, struct config_raw from)
{
	char where[CONFIG_WHERE_MAX];
	struct report r = { l->err, l->notes, where };
	const struct setting *s = key_setting(key, len, &from.is_path);

	config_where(where, from.source, from.line, key, len);
	if (s == NULL)
		unknown_key(key, len, from.line > 0, &r);
	else if (l->reader != CONFIG_DAEMON || (s->flags & CTL) == 0)
		raw_store(&all[s - settings], value, &from, &r);
	return s;
}

void
config_read_file(struct config_loader *l, const char *path)
{
	struct envfile file;
	struct envline line;
	const struct setting *s;
	bool secrets = false;

	if (envfile_open(&file, path, is_ours, l->err) != 0)
		return;
	l->last_file = path;
	while (envfile_next(&file, &line)) {
		if (line.fault != NULL && (line.key_len == 0 ||
		    is_ours(line.key, line.key_len))) {
			err_add(l->err, "%s:%u: %.*s%s%s", path, line.line,
			    (int)line.key_len, line.key_len > 0 ? line.key : "",
			    line.key_len > 0 ? ": " : "", line.fault);
			continue;
		}
		s = take(l, l->files, line.key, line.key_len, line.value,
		    (struct config_raw){ .source = path, .line = line.line });
		if (s != NULL && (s->flags & SECRET) != 0 &&
		    *line.value != '\0')
			secrets = true;
	}
	if (secrets && file.everybody)
		err_add(l->notes, "%s: holds secrets, and everybody may read "
		    "it: chmod 640 it", path);
	envfile_close(&file);
}

void
config_read_environment(struct config_loader *l)
{
	for (char **e = environ; e != NULL && *e != NULL; e++) {
		size_t len = strcspn(*e, "=");

		if ((*e)[len] == '=')
			take(l, l->env, *e, len, *e + len + 1,
			    (struct config_raw){ .source = environment });
	}
}
