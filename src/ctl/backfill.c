/*
 * stripehookctl backfill: lists the objects that Stripe has and journals each
 * as a snapshot. What events told of an object later stays.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "ctl/ctl.h"
#include "ctl/fetch.h"
#include "store/intake.h"
#include "store/reconcile.h"
#include "store/snapshot.h"
#include "store/tooldb.h"

/* In the place of an id: the kind was listed to its end. */
#define DONE "*"

struct backfill {
	struct fetch f;
	const char *account;	/* Connect account, "" if none */
	bool restart, json, named;
	const char *query;	/* of the kind in hand */
	size_t fetched, stored;	/* of the kind in hand */
	struct json_object *kinds;	/* for JSON */
	bool incomplete;
};

static void
state_name(const struct backfill *b, const struct snapshot_kind *kind,
    char name[256])
{
	snprintf(name, 256, "backfill.%s.%.128s.%s", fetch_mode_name(&b->f),
	    b->account, kind->name);
}

/*
 * Of payments whose success an event has told the charge's time is not taken:
 * some methods take days. So its id stands where it was expanded.
 */
static int
trim_payments(struct backfill *b, struct json_object *list, struct err *err)
{
	size_t n = json_object_array_length(list);
	const char **ids = mem_calloc(n, sizeof(*ids));
	bool *known = mem_calloc(n, sizeof(*known));
	struct json_object *charge;
	int rc;

	for (size_t i = 0; i < n; i++)
		ids[i] = snapshot_object_id(json_object_array_get_idx(list,
		    i));
	rc = payments_known(b->f.db, ids, known, n, err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct json_object *payment = json_object_array_get_idx(list,
		    i);

		if (known[i] && json_object_object_get_ex(payment,
		    "latest_charge", &charge) &&
		    json_object_is_type(charge, json_type_object))
			json_object_object_add(payment, "latest_charge",
			    json_object_new_string(
			    snapshot_object_id(charge)));
	}
	free(known);
	free(ids);
	return rc;
}

/* Stores a page's objects, and then where to go on. */
static int
store_page(struct backfill *b, const struct snapshot_kind *kind,
    const struct api_answer *answer, struct json_object *list,
    const char *place, struct err *err)
{
	size_t before = intake_counts(b->f.intake)->stored;
	bool live = api_mode(b->f.api) == LIVEMODE_LIVE;
	char name[256];

	if (strcmp(kind->object, "payment_intent") == 0 &&
	    trim_payments(b, list, err) != 0)
		return -1;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (fetch_store(&b->f, json_object_array_get_idx(list, i),
		    b->account, live, answer, err) != 0)
			return -1;
	if (intake_flush(b->f.intake, err) != 0)
		return -1;
	b->fetched += json_object_array_length(list);
	b->stored += intake_counts(b->f.intake)->stored - before;
	state_name(b, kind, name);
	return tool_state_put(b->f.db, name, place, err);
}

static char *
make_path(const struct backfill *b, const struct snapshot_kind *kind,
    const char *place)
{
	char *escaped = api_escape(place), path[2048];

	snprintf(path, sizeof(path), "%s?%slimit=%d%s%s", kind->path,
	    b->query, FETCH_PAGE, place[0] != '\0' ? "&starting_after=" : "",
	    escaped);
	free(escaped);
	return mem_strdup(path);
}

/* One page from place on, which moves to its end or to DONE. */
static enum api_result
list_page(struct backfill *b, const struct snapshot_kind *kind,
    char place[TOOL_STATE_MAX], struct err *err)
{
	struct api_answer answer = { .json = NULL };
	char *path = make_path(b, kind, place);
	enum api_result result = api_get(b->f.api, path, b->account, &answer,
	    err);
	struct json_object *list;
	bool more;
	size_t n;

	free(path);
	if (result != API_OK)
		return result;
	if ((list = fetch_list(&answer, &more)) == NULL) {
		err_add(err, "%s: the answer has no list", kind->path);
		result = API_REFUSED;
	} else {
		n = json_object_array_length(list);
		snprintf(place, TOOL_STATE_MAX, "%s", more && n > 0 ?
		    snapshot_object_id(json_object_array_get_idx(list,
		    n - 1)) : DONE);
		if (store_page(b, kind, &answer, list, place, err) != 0)
			result = API_UNREACHABLE;
	}
	api_answer_clear(&answer);
	return result;
}

static void
report(struct backfill *b, const struct snapshot_kind *kind, bool complete)
{
	struct json_object *entry;

	fetch_progress_end();
	if (!b->json) {
		printf("%s: fetched %zu, stored %zu%s\n", kind->name,
		    b->fetched, b->stored, complete ? "" : ", not complete");
		fflush(stdout);
		return;
	}
	entry = json_object_new_object();
	json_object_object_add(entry, "kind",
	    json_object_new_string(kind->name));
	json_object_object_add(entry, "fetched",
	    json_object_new_int64((int64_t)b->fetched));
	json_object_object_add(entry, "stored",
	    json_object_new_int64((int64_t)b->stored));
	json_object_object_add(entry, "complete",
	    json_object_new_boolean(complete));
	json_object_array_add(b->kinds, entry);
}

/* Lists a kind from place to its end. */
static enum api_result
list_kind(struct backfill *b, const struct snapshot_kind *kind,
    char place[TOOL_STATE_MAX], struct err *err)
{
	enum api_result result = API_OK;
	struct err why = ERR_INIT;

	b->query = kind->query;
	while (result == API_OK && strcmp(place, DONE) != 0) {
		err_reset(&why);
		result = list_page(b, kind, place, &why);
		/* Without the right to charges, payments come alone. */
		if (result == API_DENIED && strstr(b->query, "expand") != NULL) {
			b->query = "";
			result = API_OK;
			continue;
		}
		if (why.len > 0)
			err_add(err, "%.*s", (int)why.len - 1, why.text);
		fetch_progress("%s: %zu fetched, %zu stored", kind->name,
		    b->fetched, b->stored);
	}
	return result;
}

/* Returns -1 when there is no going on. */
static int
do_kind(struct backfill *b, const struct snapshot_kind *kind)
{
	struct err *err = &b->f.notes;
	char name[256], place[TOOL_STATE_MAX];
	enum api_result result;

	b->fetched = b->stored = 0;
	state_name(b, kind, name);
	if (tool_state_get(b->f.db, name, place, err) != 0)
		return -1;
	if (b->restart)
		place[0] = '\0';
	else if (strcmp(place, DONE) == 0)
		err_add(err, "%s: were fetched completely by an earlier run; "
		    "--restart fetches them anew", kind->name);
	result = list_kind(b, kind, place, err);
	report(b, kind, result == API_OK);
	if (result == API_OK)
		return 0;
	/* A kind that this account's API doesn't list is no failure. */
	if (kind->extra && !b->named && result != API_KEY &&
	    result != API_UNREACHABLE)
		return 0;
	b->incomplete = true;
	b->f.denied |= result == API_DENIED;
	if (result == API_GONE && place[0] != '\0')
		err_add(err, "%s: the object where the last run ended may be "
		    "gone: begin anew with --restart", kind->name);
	return result == API_KEY || result == API_UNREACHABLE ? -1 : 0;
}

static void
print_json(const struct backfill *b)
{
	struct json_object *out = json_object_new_object();

	json_object_object_add(out, "kinds", json_object_get(b->kinds));
	json_object_object_add(out, "notes", fetch_notes_json(&b->f));
	puts(json_object_to_json_string_ext(out, JSON_C_TO_STRING_PLAIN |
	    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(out);
}

static int
run(struct backfill *b, char **names)
{
	int status = fetch_open(&b->f), rc = 0;

	if (status != CTL_DONE) {
		fetch_close(&b->f);
		return status;
	}
	b->kinds = json_object_new_array();
	b->named = *names != NULL;
	if (!b->named)
		for (size_t i = 0; i < snapshot_nkinds && rc == 0; i++)
			rc = do_kind(b, &snapshot_kinds[i]);
	for (; *names != NULL && rc == 0; names++)
		rc = do_kind(b, snapshot_kind_by_name(*names));
	fetch_print_notes(&b->f);
	if (b->json)
		print_json(b);
	json_object_put(b->kinds);
	status = rc != 0 || b->f.denied ? CTL_UNREACHABLE :
	    b->incomplete ? CTL_NO : CTL_DONE;
	fetch_close(&b->f);
	return status;
}

/* Whether all are kinds; else says which isn't. */
static bool
are_kinds(char **names)
{
	for (; *names != NULL; names++)
		if (snapshot_kind_by_name(*names) == NULL) {
			fprintf(stderr, "stripehookctl: there is no kind "
			    "'%s'; there are:", *names);
			for (size_t i = 0; i < snapshot_nkinds; i++)
				fprintf(stderr, " %s",
				    snapshot_kinds[i].name);
			fputc('\n', stderr);
			return false;
		}
	return true;
}

int
ctl_backfill(int argc, char **argv)
{
	static const struct option options[] = {
		{ "account", required_argument, NULL, 'a' },
		{ "restart", no_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	struct backfill b = { .account = "", .query = "" };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'a')
			b.account = optarg;
		b.restart |= c == 'r';
		b.json |= c == 'j';
		if (c == '?')
			return ctl_usage();
	}
	return are_kinds(argv + optind) ? run(&b, argv + optind) : CTL_USAGE;
}
