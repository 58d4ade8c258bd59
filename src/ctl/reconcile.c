/*
 * stripehookctl reconcile: what Stripe's API has and we have not. Changes
 * nothing unless told to repair.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "ctl/ctl.h"
#include "ctl/ctl_time.h"
#include "ctl/reconcile_int.h"
#include "store/tooldb.h"

enum {
	BACK_MAX = 30 * 86400,	/* seconds that Stripe keeps events */
	GRACE = 300,		/* seconds that are left to the webhook */
	OVERLAP = 600		/* with the last run, for late listings */
};

/* Where the last complete run is remembered. */
static void
state_name(const struct reconcile *r, char name[64])
{
	snprintf(name, 64, "reconcile.complete.%s", fetch_mode_name(&r->f));
}

/* From where a run covers all that no run has; sets *from. */
static int
uncovered(struct reconcile *r, int64_t *from, struct err *err)
{
	char name[64], value[TOOL_STATE_MAX];
	int64_t oldest = r->f.now - BACK_MAX, last;

	state_name(r, name);
	if (tool_state_get(r->f.db, name, value, err) != 0)
		return -1;
	last = strtoll(value, NULL, 10);
	*from = last - OVERLAP > oldest ? last - OVERLAP : oldest;
	return 0;
}

static int
remember(struct reconcile *r, int64_t from, struct err *err)
{
	char name[64], value[32];

	/* A run that began later leaves a gap. */
	if (!r->repair || r->from > from)
		return 0;
	state_name(r, name);
	snprintf(value, sizeof(value), "%" PRId64, r->until);
	return tool_state_put(r->f.db, name, value, err);
}

/* Returns 0, or -1 when it had to stop. */
static int
work(struct reconcile *r, int64_t since, struct err *err)
{
	int64_t from;

	r->until = r->f.now - GRACE;
	if (uncovered(r, &from, err) != 0)
		return -1;
	r->from = since >= 0 ? since : from;
	if (r->from < r->f.now - BACK_MAX) {
		r->from = r->f.now - BACK_MAX;
		err_add(&r->f.notes, "Stripe keeps events for 30 days: older "
		    "ones can't be listed; 'stripehookctl backfill' fetches "
		    "the objects themselves");
	}
	if (reconcile_events(r, err) != 0 || remember(r, from, err) != 0 ||
	    reconcile_marks(r, err) != 0)
		return -1;
	return r->objects ? reconcile_objects(r, err) : 0;
}

static void
print_json(const struct reconcile *r)
{
	const struct {
		const char *name;
		int64_t n;
	} numbers[] = {
		{ "since", r->from }, { "until", r->until },
		{ "missing", (int64_t)r->missing },
		{ "stored", (int64_t)r->stored },
		{ "marked", (int64_t)r->marked },
		{ "settled", (int64_t)r->settled },
		{ "gone", (int64_t)r->gone },
		{ "compared", (int64_t)r->compared },
		{ "stale", (int64_t)r->stale },
		{ "repaired", (int64_t)r->repaired },
		{ "remaining", (int64_t)r->remain },
	};
	struct json_object *out = json_object_new_object();

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_object_add(out, numbers[i].name,
		    json_object_new_int64(numbers[i].n));
	json_object_object_add(out, "missing_events",
	    json_object_get(r->missing_events));
	json_object_object_add(out, "differences",
	    json_object_get(r->differences));
	json_object_object_add(out, "notes", fetch_notes_json(&r->f));
	puts(json_object_to_json_string_ext(out, JSON_C_TO_STRING_PLAIN |
	    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(out);
}

static void
print_text(const struct reconcile *r)
{
	printf("missing %zu, stored %zu, marked %zu, settled %zu, gone %zu",
	    r->missing, r->stored, r->marked, r->settled, r->gone);
	if (r->objects)
		printf(", compared %zu, stale %zu, repaired %zu", r->compared,
		    r->stale, r->repaired);
	putchar('\n');
}

static int
status_of(const struct reconcile *r, int rc)
{
	if (rc != 0 || r->f.denied)
		return CTL_UNREACHABLE;
	if (r->remain > 0)
		return CTL_NO;
	if (!r->repair && r->missing + r->marked + r->stale > 0)
		return CTL_NO;
	return CTL_DONE;
}

static int
run(struct reconcile *r, int64_t since)
{
	struct err err = ERR_INIT;
	int status = fetch_open(&r->f), rc;

	if (status == CTL_DONE) {
		r->missing_events = json_object_new_array();
		r->differences = json_object_new_array();
		rc = work(r, since, &err);
		/* Notes stand behind what stopped it. */
		if (err.len > 0)
			err_add(&r->f.notes, "%.*s", (int)err.len - 1,
			    err.text);
		fetch_print_notes(&r->f);
		(r->json ? print_json : print_text)(r);
		status = status_of(r, rc);
		json_object_put(r->missing_events);
		json_object_put(r->differences);
	}
	fetch_close(&r->f);
	return status;
}

int
ctl_reconcile(int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, 's' },
		{ "objects", no_argument, NULL, 'o' },
		{ "repair", no_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	struct reconcile r = { .repair = false };
	int64_t since = -1;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's' && time_option("--since", optarg, &since) != 0)
			return CTL_USAGE;
		r.objects |= c == 'o';
		r.repair |= c == 'r';
		r.json |= c == 'j';
		if (c == '?')
			return ctl_usage();
	}
	if (optind < argc)
		return ctl_usage();
	return run(&r, since >= 0 ? since / 1000000 : -1);
}
