/* What files and environment say, before it is made into values. */
#ifndef BASE_CONFIG_SOURCE_H
#define BASE_CONFIG_SOURCE_H

#include <limits.h>

#include "base/setting.h"

#define CONFIG_FILE_KEY "STRIPEHOOK_CONFIG"

enum { CONFIG_WHERE_MAX = PATH_MAX + 128 };

/* What one source says about a setting. */
struct config_raw {
	char *text;		/* NULL: nothing */
	bool is_path;		/* by KEY_FILE */
	unsigned line;		/* 0 in the environment */
	const char *source;	/* the file's name, or "environment" */
};

struct config_loader {
	struct config *cfg;
	enum config_reader reader;
	struct err *err, *notes;
	struct config_raw files[SETTING__MAX], env[SETTING__MAX];
	const char *last_file;	/* where to put what is missing */
};

/* Read into the loader's files or env; what is wrong goes to its err. */
void config_read_file(struct config_loader *l, const char *path);
void config_read_environment(struct config_loader *l);

/* "FILE:LINE: KEY" (len bytes of it), or "environment: KEY". */
void config_where(char where[CONFIG_WHERE_MAX], const char *source,
    unsigned line, const char *key, size_t len);

/* Wipes and frees. */
void config_raw_clear(struct config_raw *raw);

#endif
