/* stripehookctl prune: old payloads go, the fact that an event came stays. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/ctl_old.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_time.h"
#include "ctl/fetch.h"
#include "store/prune.h"
#include "store/tooldb.h"

enum { DAYS_DEFAULT = 90, DAYS_MIN = 30 };

static const int64_t day_us = INT64_C(86400000000);

/* What the counts are to a reader. */
static const char *const texts[PRUNE__MAX] = {
	[PRUNE_DELETED] = "deleted",
	[PRUNE_DECIDING] = "kept: a row is made of them",
	[PRUNE_FAILED] = "kept: failed, they may be replayed",
	[PRUNE_MARKED] = "kept: their objects wait for reconcile",
	[PRUNE_UNCLEAR] = "kept: what they made can't be told",
};

static void
progress(const struct prune *p)
{
	char at[TIME_TEXT];
	size_t kept = 0;

	for (unsigned i = 1; i < PRUNE__MAX; i++)
		kept += p->counts[i];
	time_print(at, p->at_us);
	fetch_progress("%s: %zu payloads %s, %zu kept", at,
	    p->counts[PRUNE_DELETED], p->dry_run ? "to delete" : "deleted",
	    kept);
}

static void
print_text(const struct prune *p)
{
	char before[TIME_TEXT];

	time_print(before, p->before_us);
	printf("payloads received before %s UTC%s\n", before,
	    p->dry_run ? " (dry run, nothing is changed)" : "");
	for (unsigned i = 0; i < PRUNE__MAX; i++)
		if (i == 0)
			printf("%8zu %s, %" PRIu64 " bytes\n", p->counts[i],
			    p->dry_run ? "would be deleted" : texts[i],
			    p->bytes);
		else if (p->counts[i] > 0)
			printf("%8zu %s\n", p->counts[i], texts[i]);
}

static void
print_json(const struct prune *p)
{
	struct json_object *o = json_object_new_object();
	struct json_object *kept = json_object_new_object();
	char before[TIME_TEXT];

	time_print_iso(before, p->before_us);
	out_text(o, "older_than", before);
	json_object_object_add(o, "dry_run",
	    json_object_new_boolean(p->dry_run));
	out_int(o, "deleted", (long long)p->counts[PRUNE_DELETED]);
	out_int(o, "bytes", (long long)p->bytes);
	for (unsigned i = 1; i < PRUNE__MAX; i++)
		out_int(kept, prune_fates[i], (long long)p->counts[i]);
	json_object_object_add(o, "kept", kept);
	out_json(o);
}

static int
prune(const struct config *cfg, const struct old_options *o)
{
	struct prune p = { .cfg = cfg, .before_us = o->before_us,
	    .batch = o->batch, .dry_run = o->dry_run, .anew = o->anew,
	    .progress = progress };
	struct err err = ERR_INIT;
	int rc;

	if ((p.db = old_open(cfg)) == NULL)
		return CTL_UNREACHABLE;
	rc = prune_run(&p, &err);
	fetch_progress_end();
	fputs(err.text, stderr);
	(o->json ? print_json : print_text)(&p);
	tooldb_free(p.db);
	return rc == 0 ? CTL_DONE : CTL_UNREACHABLE;
}

int
ctl_prune(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OLD_OPTIONS,
		{ NULL, 0, NULL, 0 }
	};
	int64_t now = clock_wall_us();
	struct old_options o = { .before_us = now - DAYS_DEFAULT * day_us,
	    .batch = OLD_BATCH };
	struct config cfg;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (old_option(&o, c, optarg) != 0)
			return ctl_usage();
	if (optind < argc)
		return ctl_usage();
	/* "30d" is an age as of a moment later than now. */
	if (o.before_us > now - DAYS_MIN * day_us + day_us / 24) {
		fprintf(stderr, "stripehookctl: --older-than: payloads are "
		    "kept for %d days at least, since Stripe delivers late "
		    "and so are replays and ties\n", DAYS_MIN);
		return ctl_usage();
	}
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	rc = prune(&cfg, &o);
	config_free(&cfg);
	return rc;
}
