/* Fetches the objects whose newest state no event tells. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "ctl/reconcile_int.h"
#include "store/intake.h"
#include "store/reconcile.h"
#include "store/snapshot.h"
#include "store/tooldb.h"
#include "stripe/json.h"

/* Why an object couldn't be settled, as a note. */
static void
note(struct reconcile *r, const struct object_ref *ref, const struct err *why)
{
	err_add(&r->f.notes, "%s: %.*s", ref->id,
	    (int)strcspn(why->text, "\n"), why->text);
}

bool
reconcile_is_fatal(enum api_result result)
{
	return result == API_KEY || result == API_UNREACHABLE;
}

/*
 * Another account's key would find none of our objects: something that came
 * from Stripe must be in its sight before a 404 is believed.
 */
static int
see_account(struct reconcile *r, const struct object_ref *ref,
    struct err *err)
{
	struct api_answer answer = { .json = NULL };
	struct err why = ERR_INIT;
	char id[JOURNAL_ID_MAX], path[JOURNAL_ID_MAX + 32];
	enum api_result result;

	/* A Connect account is named in the request. */
	r->seen |= ref->account[0] != '\0';
	if (r->seen)
		return 0;
	if (journal_newest_delivery(r->f.db, ref->livemode, id, err) != 0)
		return -1;
	if (id[0] == '\0')
		return 0;
	snprintf(path, sizeof(path), "/v1/events/%s", id);
	result = api_get(r->f.api, path, "", &answer, &why);
	r->seen = result == API_OK;
	api_answer_clear(&answer);
	return 0;
}

/* What the deciding event said of the object, marked as deleted. */
static struct json_object *
last_known(const char *payload, size_t len, const struct object_ref *ref)
{
	struct json_object *event = NULL, *data, *object = NULL;
	const char *why;

	if (payload == NULL ||
	    json_parse(&event, payload, len, &why) != OUT_OK)
		return NULL;
	if (json_object_object_get_ex(event, "data", &data) &&
	    json_object_object_get_ex(data, "object", &object) &&
	    strcmp(snapshot_object_id(object), ref->id) == 0)
		json_object_get(object);
	else
		object = NULL;
	json_object_put(event);
	return object;
}

/* The least that names it. */
static struct json_object *
bare(const struct object_ref *ref, const struct stored_row *row)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "id", json_object_new_string(ref->id));
	json_object_object_add(object, "object",
	    json_object_new_string(ref->kind->object));
	if (row->created >= 0)
		json_object_object_add(object, "created",
		    json_object_new_int64(row->created));
	return object;
}

int
reconcile_gone(struct reconcile *r, const struct object_ref *ref,
    const struct stored_row *row, struct json_object **object,
    struct err *err)
{
	char *payload = NULL;
	size_t len = 0;

	*object = NULL;
	/* A mark has a kind; the analyzer can't see that far. */
	if (ref->kind == NULL)
		return 0;
	if (!ref->kind->deletable) {
		err_add(&r->f.notes, "%s: Stripe has none such, though a %s "
		    "is never deleted there: is STRIPE_SECRET_KEY of another "
		    "account, or was test data deleted?", ref->id,
		    ref->kind->object);
		return 0;
	}
	if (see_account(r, ref, err) != 0)
		return -1;
	if (!r->seen) {
		err_add(&r->f.notes, "%s: Stripe has none such; but as the "
		    "key sees none of the events that came either, it may be "
		    "of another account", ref->id);
		return 0;
	}
	if (journal_payload(r->f.db, row->event_id, &payload, &len, err) != 0)
		return -1;
	if ((*object = last_known(payload, len, ref)) == NULL)
		*object = bare(ref, row);
	json_object_object_add(*object, "deleted",
	    json_object_new_boolean(1));
	free(payload);
	return 0;
}

/* Whether the row is decided: no ties, or what was fetched decides it. */
static bool
is_decided(const struct object_ref *ref, const struct stored_row *row,
    int64_t date)
{
	return row->found && row->ties == 0 &&
	    (ref->tie || (date >= 0 && row->decided >= date));
}

/* Closes the mark if nothing needs to be fetched any more; sets *closed. */
static int
close_decided(struct reconcile *r, const struct object_ref *ref,
    int64_t date, bool *closed, struct err *err)
{
	struct stored_row row;
	int rc = stored_row_read(r->f.db, ref, &row, err);

	*closed = rc == 0 && is_decided(ref, &row, date);
	stored_row_clear(&row);
	if (*closed && r->repair)
		rc = mark_close(r->f.db, ref, err);
	return rc;
}

/* Journals what Stripe answered, and looks whether that settles it. */
static int
settle(struct reconcile *r, const struct object_ref *ref,
    struct json_object *object, const struct api_answer *answer,
    struct err *err)
{
	bool closed = false;

	if (fetch_store(&r->f, object, ref->account, ref->livemode, answer,
	    err) != 0 || intake_flush(r->f.intake, err) != 0 ||
	    close_decided(r, ref, fetch_date(answer), &closed, err) != 0)
		return -1;
	r->settled += closed;
	r->remain += !closed;
	if (!closed)
		err_add(&r->f.notes, "%s: fetched in the very second of its "
		    "events, or ranks below them: it will be fetched again",
		    ref->id);
	return 0;
}

static int
settle_gone(struct reconcile *r, const struct object_ref *ref,
    const struct api_answer *answer, struct err *err)
{
	struct json_object *object = NULL;
	struct stored_row row;
	int rc = stored_row_read(r->f.db, ref, &row, err);

	r->gone++;
	if (rc == 0)
		rc = reconcile_gone(r, ref, &row, &object, err);
	stored_row_clear(&row);
	if (rc == 0 && object != NULL)
		rc = settle(r, ref, object, answer, err);
	else
		r->remain++;
	json_object_put(object);
	return rc;
}

static int
fetch_mark(struct reconcile *r, const struct object_ref *ref, struct err *err)
{
	struct api_answer answer = { .json = NULL };
	struct err why = ERR_INIT;
	enum api_result result = fetch_object(&r->f, ref, &answer, &why);
	int rc = 0;

	if (result == API_OK && !snapshot_is_deleted(answer.json)) {
		r->seen = true;
		rc = settle(r, ref, answer.json, &answer, err);
	} else if (result == API_OK || result == API_GONE) {
		r->seen |= result == API_OK;
		rc = settle_gone(r, ref, &answer, err);
	} else if (reconcile_is_fatal(result)) {
		err_add(err, "%.*s", (int)strcspn(why.text, "\n"), why.text);
		rc = -1;
	} else {
		note(r, ref, &why);
		r->remain++;
	}
	api_answer_clear(&answer);
	return rc;
}

static int
do_mark(struct reconcile *r, const struct object_ref *ref, struct err *err)
{
	struct err why = ERR_INIT;
	bool closed;

	if (ref->kind == NULL) {
		err_add(&why, "marked, but of a kind that can't be fetched");
	} else if (close_decided(r, ref, -1, &closed, err) != 0) {
		return -1;
	} else if (closed) {
		/* A later event decided it. */
		r->settled += r->repair;
		r->marked += r->repair;
		return 0;
	} else if (!fetch_sees_mode(&r->f, ref->livemode)) {
		err_add(&why, "is of %s mode, STRIPE_SECRET_KEY isn't",
		    ref->livemode ? "live" : "test");
	}
	r->marked++;
	if (!r->repair)
		return 0;
	if (why.count == 0)
		return fetch_mark(r, ref, err);
	note(r, ref, &why);
	r->remain++;
	return 0;
}

int
reconcile_marks(struct reconcile *r, struct err *err)
{
	struct object_ref place = { .kind = NULL };
	struct object_ref *list = mem_calloc(FETCH_PAGE, sizeof(*list));
	size_t n = 1;
	int rc = 0;

	while (rc == 0 && n > 0) {
		rc = page_marks(r->f.db, &place, list, FETCH_PAGE, &n, err);
		for (size_t i = 0; i < n && rc == 0; i++) {
			rc = do_mark(r, &list[i], err);
			fetch_progress("marked objects: %zu, %zu settled",
			    r->marked, r->settled);
		}
	}
	free(list);
	return rc;
}
