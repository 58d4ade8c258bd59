/*
 * Loads settings: files in order, the environment over them, defaults under
 * them. Of a setting only the source that wins decides, with an empty value
 * too: that means "not set".
 */
#include "base/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config_source.h"
#include "base/envfile.h"
#include "base/err.h"
#include "base/setting_rule.h"

#define FILE_PRODUCTION "/etc/stripehook/stripehook.env"

/* The files to read where none is named; returns how many. */
static size_t
usual_files(const char *files[2])
{
	static const char run[] = "var/run.env", dot[] = ".env";
	const char *named = getenv(CONFIG_FILE_KEY);
	size_t n = 0;

	if (named != NULL && *named != '\0') {
		files[n++] = named;
	} else if (access(dot, F_OK) == 0) {
		if (access(run, F_OK) == 0)
			files[n++] = run;
		files[n++] = dot;
	} else if (access(FILE_PRODUCTION, F_OK) == 0) {
		files[n++] = FILE_PRODUCTION;
	}
	return n;
}

/* The environment's word stands against the file's, and can't be reloaded. */
static void
note_pinned(struct config_loader *l, const struct setting *s,
    const struct config_raw *env, const struct config_raw *file)
{
	if (env->text != NULL && file->text != NULL &&
	    (env->is_path != file->is_path ||
	    strcmp(env->text, file->text) != 0))
		err_add(l->notes, "%s: the environment's value wins over "
		    "%s:%u; a reload can't change it", s->key, file->source,
		    file->line);
}

/* The value from the source that won is made the setting's. */
static void
apply(struct config_loader *l, const struct setting *s,
    const struct config_raw *raw)
{
	char where[CONFIG_WHERE_MAX];
	struct report r = { l->err, l->notes, where };
	const char *fault = "";
	char *content;

	config_where(where, raw->source, raw->line, s->key, strlen(s->key));
	if (!raw->is_path) {
		setting_set(l->cfg, s, raw->text, &r);
		return;
	}
	content = envfile_value(raw->text, &fault);
	if (content == NULL) {
		report_error(&r, "%s_FILE names '%s', which gives no value: %s",
		    s->key, rule_looks_secret(raw->text) ?
		    "(the secret itself?)" : raw->text, fault);
		return;
	}
	setting_set(l->cfg, s, content, &r);
	explicit_bzero(content, strlen(content));
	free(content);
}

static void
apply_default(struct config_loader *l, const struct setting *s)
{
	struct report r = { l->err, l->notes, s->key };

	if (s->dflt != NULL)
		setting_set(l->cfg, s, s->dflt, &r);
	if (l->reader == CONFIG_DAEMON && (s->flags & REQUIRED) != 0)
		err_add(l->err, "%s: is not set. Put %s=... into %s, or set "
		    "%s_FILE to the path of a file that holds it.%s", s->key,
		    s->key, l->last_file, s->key, rule_missing_hint(s));
}

/* The daemon's memory, and so /proc's view of it, is rid of the value. */
static void
forget(const struct setting *s)
{
	char *value = getenv(s->key);

	if (value == NULL)
		return;
	explicit_bzero(value, strlen(value));
	unsetenv(s->key);
}

static void
apply_all(struct config_loader *l)
{
	for (size_t i = 0; i < SETTING__MAX; i++) {
		const struct setting *s = &settings[i];
		const struct config_raw *raw = l->env[i].text != NULL ?
		    &l->env[i] : &l->files[i];

		/* What the daemon must not load stays at nothing. */
		if (l->reader == CONFIG_DAEMON && (s->flags & CTL) != 0) {
			if ((s->flags & SECRET) != 0)
				forget(s);
			continue;
		}
		note_pinned(l, s, &l->env[i], &l->files[i]);
		if (raw->text != NULL && *raw->text != '\0')
			apply(l, s, raw);
		else
			apply_default(l, s);
	}
	if (l->cfg->ingest_socket != NULL && l->cfg->status_socket != NULL &&
	    strcmp(l->cfg->ingest_socket, l->cfg->status_socket) == 0)
		err_add(l->err, "STRIPEHOOK_INGEST_SOCKET and "
		    "STRIPEHOOK_STATUS_SOCKET are the same path");
}

int
config_load(struct config *cfg, enum config_reader reader,
    const char *const *files, size_t nfiles, struct err *err,
    struct err *notes)
{
	unsigned errors = err->count;
	struct config_loader l = { .cfg = cfg, .reader = reader, .err = err,
	    .notes = notes, .last_file = FILE_PRODUCTION };
	const char *usual[2];

	*cfg = (struct config){ .webhook_secrets = { NULL, 0 } };
	if (nfiles == 0) {
		nfiles = usual_files(usual);
		files = usual;
	}
	for (size_t i = 0; i < nfiles; i++)
		config_read_file(&l, files[i]);
	config_read_environment(&l);
	apply_all(&l);
	for (size_t i = 0; i < SETTING__MAX; i++) {
		config_raw_clear(&l.files[i]);
		config_raw_clear(&l.env[i]);
	}
	if (err->count == errors)
		return 0;
	config_free(cfg);
	return -1;
}

void
config_free(struct config *cfg)
{
	for (size_t i = 0; i < SETTING__MAX; i++)
		setting_clear(cfg, &settings[i]);
}

void
config_fixed_diff(const struct config *a, const struct config *b,
    struct err *err)
{
	for (size_t i = 0; i < SETTING__MAX; i++) {
		if ((settings[i].flags & FIXED) != 0 &&
		    !setting_equal(a, b, &settings[i]))
			err_add(err, "%s: changed, but a reload can't change "
			    "it; restart for that", settings[i].key);
	}
}
