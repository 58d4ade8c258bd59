/*
 * Settings: KEY=value lines from files, KEY_FILE=path for a value kept in a
 * file, the environment over both. Every problem is collected, with file and
 * line, before anything is refused.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/log.h"

struct err;

struct strings {
	char **s;
	size_t n;
};

enum livemode { LIVEMODE_ANY, LIVEMODE_LIVE, LIVEMODE_TEST };

struct signing_secret {
	char *text;		/* the HMAC key, "whsec_" included */
	size_t len;
	enum livemode mode;	/* which events it may sign */
};

struct signing_secrets {
	struct signing_secret *list;
	size_t n;
};

#define CONFIG_TYPE_STR char *
#define CONFIG_TYPE_PATH char *
#define CONFIG_TYPE_INT long
#define CONFIG_TYPE_LIST struct strings
#define CONFIG_TYPE_SECRETS struct signing_secrets
#define CONFIG_TYPE_LEVEL int
#define CONFIG_TYPE_FORMAT enum log_format
#define CONFIG_TYPE_MODE enum livemode
#define CONFIG_TYPE_SWITCH int

/* Strings and paths are NULL when not set. */
struct config {
#define SETTING(member, key, type, dflt, flags, min, max, help) \
	CONFIG_TYPE_##type member;
#include "base/config.tbl"
#undef SETTING
};

enum config_reader {
	CONFIG_DAEMON,		/* REQUIRED settings must be there, CTL ones
				   are not loaded */
	CONFIG_CTL		/* all are loaded, none is required */
};

/*
 * Fills *cfg from the files (in order, a later one wins) and the environment.
 * nfiles 0 means the usual places: STRIPEHOOK_CONFIG if set; else, where the
 * current directory has a .env, var/run.env (of the development server, if
 * there) and .env; else /etc/stripehook/stripehook.env if there.
 * Returns 0, or -1 with every problem in err; *cfg is then empty. Remarks that
 * don't stop a start (unknown keys in the environment, keys that the
 * environment pins over the file) go to notes. The caller frees *cfg.
 */
int config_load(struct config *cfg, enum config_reader reader,
    const char *const *files, size_t nfiles, struct err *err,
    struct err *notes) __attribute__((warn_unused_result));

/* Frees and empties *cfg; secrets are wiped. */
void config_free(struct config *cfg);

/*
 * Names of FIXED settings that differ between the two, into err: a reload
 * can't change them.
 */
void config_fixed_diff(const struct config *a, const struct config *b,
    struct err *err);

/* Print the table of settings: for --help, as a sample file, as mdoc(7). */
void config_print_help(FILE *out);
void config_print_sample(FILE *out);
void config_print_man(FILE *out);

#endif
