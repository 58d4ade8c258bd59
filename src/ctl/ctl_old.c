/* Reads the options, connects. */
#include "ctl/ctl_old.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/ctl_time.h"
#include "store/retention.h"
#include "store/tooldb.h"

static int
parse_batch(const char *text, size_t *batch)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0 && n >= 1 &&
	    n <= RETENTION_BATCH_MAX) {
		*batch = (size_t)n;
		return 0;
	}
	fprintf(stderr, "stripehookctl: --batch: '%s' is not a number from 1 "
	    "to %d\n", text, RETENTION_BATCH_MAX);
	return -1;
}

int
old_option(struct old_options *o, int option, const char *text)
{
	switch (option) {
	case 'o':
		return time_option("--older-than", text, &o->before_us);
	case 'b':
		return parse_batch(text, &o->batch);
	case 'n':
		o->dry_run = true;
		return 0;
	case 'a':
		o->anew = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	default:
		return -1;
	}
}

struct tooldb *
old_open(const struct config *cfg)
{
	struct err err = ERR_INIT;
	struct tooldb *db = tooldb_new_owner(cfg, &err);

	if (db == NULL) {
		fputs(err.text, stderr);
		ctl_owner_hint();
		return NULL;
	}
	if (retention_lock(db, &err) == 0)
		return db;
	fputs(err.text, stderr);
	tooldb_free(db);
	return NULL;
}
