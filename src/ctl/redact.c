/* stripehookctl redact: personal data in old payloads is blanked. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "ctl/ctl.h"
#include "ctl/ctl_old.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_time.h"
#include "ctl/fetch.h"
#include "store/redaction.h"
#include "store/tooldb.h"
#include "stripe/redact.h"

enum { DAYS_DEFAULT = 30, PATHS_MAX = 4000 };

static const int64_t day_us = INT64_C(86400000000);

static void
progress(const struct redaction *r)
{
	char at[TIME_TEXT];

	time_print(at, r->at_us);
	fetch_progress("%s: %zu payloads %s", at, r->redacted,
	    r->dry_run ? "to redact" : "redacted");
}

static void
print_text(const struct redaction *r)
{
	char before[TIME_TEXT];

	time_print(before, r->before_us);
	printf("payloads received before %s UTC%s\n", before,
	    r->dry_run ? " (dry run, nothing is changed)" : "");
	printf("%8zu %s, %zu members in them\n", r->redacted,
	    r->dry_run ? "would be redacted" : "redacted", r->edits);
	printf("%8zu with nothing to redact\n", r->clean);
	if (r->failed > 0)
		printf("%8zu left: failed, replay or dismiss them first\n",
		    r->failed);
	if (r->unclear > 0)
		printf("%8zu left: not JSON\n", r->unclear);
}

static void
print_json(const struct redaction *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *paths = json_object_new_array();
	char before[TIME_TEXT];

	time_print_iso(before, r->before_us);
	out_text(o, "older_than", before);
	json_object_object_add(o, "dry_run",
	    json_object_new_boolean(r->dry_run));
	for (size_t i = 0; r->names[i] != NULL; i++)
		json_object_array_add(paths,
		    json_object_new_string(r->names[i]));
	json_object_object_add(o, "paths", paths);
	out_int(o, "redacted", (long long)r->redacted);
	out_int(o, "members", (long long)r->edits);
	out_int(o, "clean", (long long)r->clean);
	out_int(o, "failed", (long long)r->failed);
	out_int(o, "unclear", (long long)r->unclear);
	out_json(o);
}

static int
redact(const struct config *cfg, const struct old_options *o,
    const char *const *names)
{
	struct redaction r = { .names = names, .before_us = o->before_us,
	    .batch = o->batch, .dry_run = o->dry_run, .anew = o->anew,
	    .progress = progress };
	struct err err = ERR_INIT;
	int rc;

	if ((r.db = old_open(cfg)) == NULL)
		return CTL_UNREACHABLE;
	rc = redaction_run(&r, &err);
	fetch_progress_end();
	fputs(err.text, stderr);
	(o->json ? print_json : print_text)(&r);
	tooldb_free(r.db);
	return rc == 0 ? CTL_DONE : CTL_UNREACHABLE;
}

/* A name, or a pointer; without it the row in redactions would be unclear. */
static int
check_path(const char *path)
{
	if (path[0] != '\0' && strcmp(path, "/") != 0 &&
	    strchr(path, ',') == NULL && strlen(path) <= PATHS_MAX)
		return 0;
	fprintf(stderr, "stripehookctl: --path: '%s' is neither a member's "
	    "name nor a JSON pointer ('email', '/data/object/note')\n", path);
	return -1;
}

/* names has room for every argument, and ends with NULL. */
static int
parse(int argc, char **argv, struct old_options *o, const char **names)
{
	static const struct option options[] = {
		CTL_OLD_OPTIONS,
		{ "path", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p' ? check_path(optarg) != 0 :
		    old_option(o, c, optarg) != 0)
			return -1;
		if (c == 'p')
			*names++ = optarg;
	}
	return optind < argc ? -1 : 0;
}

int
ctl_redact(int argc, char **argv)
{
	const char **names = mem_calloc((size_t)argc + 1, sizeof(*names));
	struct old_options o = {
		.before_us = clock_wall_us() - DAYS_DEFAULT * day_us,
		.batch = OLD_BATCH };
	struct config cfg;
	int rc;

	if (parse(argc, argv, &o, names) != 0) {
		free(names);
		return ctl_usage();
	}
	rc = CTL_UNREACHABLE;
	if (ctl_config(&cfg) == 0) {
		rc = redact(&cfg, &o, names[0] != NULL ? names :
		    redact_defaults);
		config_free(&cfg);
	}
	free(names);
	return rc;
}
