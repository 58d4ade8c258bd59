/* Finds the events that Stripe has and the journal lacks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "ctl/reconcile_int.h"
#include "store/batch.h"
#include "store/connect.h"
#include "store/intake.h"
#include "store/reconcile.h"
#include "store/snapshot.h"
#include "stripe/mapping.h"

enum {
	TYPES_MAX = 20,			/* that one call may name */
	SHOWN_MAX = 20,			/* missing events on the terminal */
	ACCOUNTS_BACK = 24 * 3600	/* seconds, to find Connect accounts */
};

/* One listing: a Connect account and some of the types. */
struct listing {
	struct reconcile *r;
	const char *account;
	const struct listed_types *types;
	size_t first;			/* of the types named */
	struct json_object *counted;	/* ids of events, to count them once */
	size_t listed;
};

static const char *
type_of(struct json_object *event)
{
	struct json_object *type;

	if (!json_object_object_get_ex(event, "type", &type) ||
	    !json_object_is_type(type, json_type_string))
		return "";
	return json_object_get_string(type);
}

/*
 * Whether the id is new to the run. What is stored needs no remembering: the
 * journal has it when it is listed again.
 */
static bool
first_time(struct listing *l, const char *id)
{
	if (l->r->repair)
		return true;
	if (json_object_object_get_ex(l->counted, id, NULL))
		return false;
	json_object_object_add(l->counted, id, NULL);
	return true;
}

static void
show_missing(struct reconcile *r, struct json_object *event)
{
	struct json_object *created = NULL;
	const char *id = snapshot_object_id(event), *type = type_of(event);

	if (r->json) {
		struct json_object *entry = json_object_new_object();

		json_object_object_add(entry, "id",
		    json_object_new_string(id));
		json_object_object_add(entry, "type",
		    json_object_new_string(type));
		if (json_object_object_get_ex(event, "created", &created))
			json_object_object_add(entry, "created",
			    json_object_get(created));
		json_object_array_add(r->missing_events, entry);
	} else if (r->missing <= SHOWN_MAX) {
		fetch_progress_end();
		printf("missing %s %s\n", id, type);
	} else if (r->missing == SHOWN_MAX + 1) {
		puts("...");
	}
}

/* Stores an event; whose it is it may leave to the request to say. */
static int
store(struct listing *l, struct json_object *event, struct err *err)
{
	const char *text;
	size_t len;

	if (l->account[0] != '\0' &&
	    !json_object_object_get_ex(event, "account", NULL))
		json_object_object_add(event, "account",
		    json_object_new_string(l->account));
	text = json_object_to_json_string_length(event,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	return intake_add(l->r->f.intake, text, len, ORIGIN_API, err);
}

/* Takes the events of a page that the journal lacks. */
static int
take_page(struct listing *l, struct json_object *list, struct err *err)
{
	struct reconcile *r = l->r;
	size_t n = json_object_array_length(list);
	const char **ids = mem_calloc(n, sizeof(*ids));
	bool *lacks = mem_calloc(n, sizeof(*lacks));
	int rc;

	for (size_t i = 0; i < n; i++)
		ids[i] = snapshot_object_id(json_object_array_get_idx(list,
		    i));
	rc = journal_lacks(r->f.db, ids, lacks, n, err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct json_object *event = json_object_array_get_idx(list, i);

		/* An event that came proves whose key it is. */
		r->seen |= !lacks[i];
		if (!lacks[i] || !first_time(l, ids[i]) ||
		    (l->types->types.n == 0 && !l->types->all &&
		    !mapping_supports(type_of(event))))
			continue;
		r->missing++;
		show_missing(r, event);
		if (r->repair)
			rc = store(l, event, err);
	}
	if (rc == 0)
		rc = intake_flush(r->f.intake, err);
	free(lacks);
	free(ids);
	return rc;
}

/* The caller frees it. */
static char *
make_path(const struct listing *l, const char *after)
{
	const struct strings *types = &l->types->types;
	char *path = NULL, *escaped;
	size_t len;
	FILE *out = open_memstream(&path, &len);

	if (out == NULL)
		abort();
	fprintf(out, "/v1/events?limit=%d&created%%5Bgte%%5D=%" PRId64
	    "&created%%5Blte%%5D=%" PRId64, FETCH_PAGE, l->r->from,
	    l->r->until);
	for (size_t i = l->first; i < types->n && i < l->first + TYPES_MAX;
	    i++) {
		escaped = api_escape(types->s[i]);
		fprintf(out, "&types%%5B%%5D=%s", escaped);
		free(escaped);
	}
	if (after[0] != '\0') {
		escaped = api_escape(after);
		fprintf(out, "&starting_after=%s", escaped);
		free(escaped);
	}
	if (fclose(out) != 0)
		abort();
	return path;
}

/* One page; *after moves on, *more says whether there is another. */
static enum api_result
list_page(struct listing *l, char after[JOURNAL_ID_MAX], bool *more,
    struct err *err)
{
	struct api_answer answer = { .json = NULL };
	char *path = make_path(l, after);
	enum api_result result = api_get(l->r->f.api, path, l->account,
	    &answer, err);
	struct json_object *list;
	size_t n;

	free(path);
	*more = false;
	if (result != API_OK)
		return result;
	if ((list = fetch_list(&answer, more)) == NULL) {
		err_add(err, "/v1/events: the answer has no list");
		result = API_REFUSED;
	} else if ((n = json_object_array_length(list)) == 0) {
		*more = false;
	} else {
		snprintf(after, JOURNAL_ID_MAX, "%s", snapshot_object_id(
		    json_object_array_get_idx(list, n - 1)));
		l->listed += n;
		if (take_page(l, list, err) != 0)
			result = API_UNREACHABLE;
	}
	api_answer_clear(&answer);
	fetch_progress("events: %zu listed, %zu missing", l->listed,
	    l->r->missing);
	return result;
}

/* All events of an account, with as few types a call as Stripe takes. */
static enum api_result
list_account(struct listing *l, struct err *err)
{
	enum api_result result = API_OK;
	char after[JOURNAL_ID_MAX];
	bool more;

	l->first = 0;
	do {
		after[0] = '\0';
		do
			result = list_page(l, after, &more, err);
		while (result == API_OK && more);
		l->first += TYPES_MAX;
	} while (result == API_OK && l->first < l->types->types.n);
	return result;
}

/* Connect accounts one after the other; one that let us go is no failure. */
static int
list_connected(struct listing *l, struct err *err)
{
	struct reconcile *r = l->r;
	int64_t from = r->f.now - ACCOUNTS_BACK;
	struct strings accounts = { NULL, 0 };
	int rc = connect_accounts(r->f.db, from < r->from ? from : r->from,
	    r->f.now + 1, &accounts, err);

	for (size_t i = 0; i < accounts.n && rc == 0; i++) {
		struct err why = ERR_INIT;
		enum api_result result;

		l->account = accounts.s[i];
		result = list_account(l, &why);
		if (reconcile_is_fatal(result)) {
			err_add(err, "%s", why.text);
			rc = -1;
		} else if (result != API_OK) {
			err_add(&r->f.notes, "Connect account %s is left out: "
			    "%.*s", l->account, (int)strcspn(why.text, "\n"),
			    why.text);
		}
		if (rc == 0 && r->repair)
			rc = connect_remember(r->f.db, l->account,
			    result != API_OK, err);
	}
	connect_accounts_clear(&accounts);
	return rc;
}

int
reconcile_events(struct reconcile *r, struct err *err)
{
	struct listed_types types;
	struct listing l = { .r = r, .account = "", .types = &types,
	    .counted = json_object_new_object() };
	enum api_result result;
	int rc = reconcile_types(r, &types, err);

	if (rc == 0) {
		result = list_account(&l, err);
		r->f.denied |= result == API_DENIED || result == API_KEY;
		rc = result == API_OK ? list_connected(&l, err) : -1;
	}
	r->stored = intake_counts(r->f.intake)->stored;
	json_object_put(l.counted);
	listed_types_clear(&types);
	return rc;
}
