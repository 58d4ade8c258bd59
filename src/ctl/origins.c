/*
 * nginx's copy of STRIPEHOOK_ALLOWED_ORIGINS: a page of another origin must be
 * able to read also those errors that nginx makes, without a worker.
 */
#include "ctl/origins.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/err.h"

static void
print_map(FILE *out, const struct config *cfg)
{
	fputs("map $http_origin $stripehook_cors_origin {\n"
	    "\tdefault \"\";\n", out);
	/* Expressions, for nginx bounds the length of plain text here. */
	for (size_t i = 0; i < cfg->allowed_origins.n; i++)
		fprintf(out, "\t\"~^\\Q%s\\E\\z\" $http_origin;\n",
		    cfg->allowed_origins.s[i]);
	fputs("}\n", out);
}

void
origins_print(FILE *out, const struct config *cfg)
{
	fputs("# Made by 'stripehookctl settings --nginx-origins' from "
	    "STRIPEHOOK_ALLOWED_ORIGINS:\n"
	    "# the origins whose pages may read nginx's own errors on the "
	    "status route.\n", out);
	print_map(out, cfg);
}

static bool
has_map(FILE *file, const struct config *cfg)
{
	char *text = NULL, *map = NULL;
	size_t size = 0, len = 0;
	FILE *out = open_memstream(&map, &len);
	bool has = false;

	if (out != NULL) {
		print_map(out, cfg);
		has = fclose(out) == 0 &&
		    getdelim(&text, &size, '\0', file) != -1 &&
		    strstr(text, map) != NULL;
	}
	free(text);
	free(map);
	return has;
}

static bool
has_directory(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	return access(dirname(copy), F_OK) == 0;
}

void
origins_check(const struct config *cfg, struct err *err, struct err *info)
{
	const char *path = cfg->nginx_origins;
	FILE *file = fopen(path, "re");

	if (file == NULL && errno == ENOENT && cfg->allowed_origins.n == 0)
		return;
	if (file == NULL && errno == ENOENT && !has_directory(path)) {
		err_add(info, "%s: no such directory; compare where nginx is, "
		    "with 'stripehookctl settings --nginx-origins'", path);
		return;
	}
	if (file == NULL)
		err_add(err, "%s: %s", path, strerror(errno));
	else if (!has_map(file, cfg))
		err_add(err, "%s: differs from STRIPEHOOK_ALLOWED_ORIGINS",
		    path);
	if (err->count > 0)
		err_add(err, "pages of other origins can't read nginx's own "
		    "errors (429, 503): 'stripehookctl settings "
		    "--nginx-origins >%s', then reload nginx", path);
	if (file != NULL)
		fclose(file);
}
