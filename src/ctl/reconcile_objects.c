/* Which rows are compared with Stripe's objects, and their repair. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "ctl/reconcile_int.h"
#include "store/intake.h"
#include "store/reconcile.h"
#include "store/snapshot.h"
#include "store/tooldb.h"

/* Whether the row now is what Stripe's object says. */
static int
check_repaired(struct reconcile *r, const struct object_ref *ref,
    const struct api_answer *answer, struct err *err)
{
	struct stored_row row;
	int rc = stored_row_read(r->f.db, ref, &row, err);

	if (rc == 0 && row.decided >= fetch_date(answer)) {
		r->repaired++;
	} else if (rc == 0) {
		r->remain++;
		err_add(&r->f.notes, "%s: what was fetched ranks below what "
		    "is stored", ref->id);
	}
	stored_row_clear(&row);
	return rc;
}

/* The row against what was fetched; object is NULL if that can't be told. */
static int
judge(struct reconcile *r, const struct object_ref *ref,
    const struct stored_row *row, struct json_object *object,
    const struct api_answer *answer, struct err *err)
{
	size_t n;

	/* An event of that second or a later one may know more. */
	if (object == NULL || row->decided >= fetch_date(answer) ||
	    reconcile_compare(r, ref, row, object, answer, &n) != 0 || n == 0)
		return 0;
	r->stale++;
	if (!r->repair)
		return 0;
	if (fetch_store(&r->f, object, ref->account, ref->livemode, answer,
	    err) != 0 || intake_flush(r->f.intake, err) != 0)
		return -1;
	return check_repaired(r, ref, answer, err);
}

/* Gone from Stripe: a difference unless the row says that it is deleted. */
static int
judge_gone(struct reconcile *r, const struct object_ref *ref,
    const struct stored_row *row, const struct api_answer *answer,
    struct err *err)
{
	struct json_object *object = NULL;
	int rc = reconcile_gone(r, ref, row, &object, err);

	r->gone++;
	if (rc == 0 && object == NULL)
		r->remain++;
	if (rc == 0)
		rc = judge(r, ref, row, object, answer, err);
	json_object_put(object);
	return rc;
}

static int
compare_ref(struct reconcile *r, const struct object_ref *ref,
    struct err *err)
{
	struct api_answer answer = { .json = NULL };
	struct err why = ERR_INIT;
	enum api_result result = fetch_object(&r->f, ref, &answer, &why);
	struct stored_row row = { .found = false };
	int rc = 0;

	if (reconcile_is_fatal(result)) {
		err_add(err, "%.*s", (int)strcspn(why.text, "\n"), why.text);
		return -1;
	}
	if (result != API_OK && result != API_GONE) {
		err_add(&r->f.notes, "%s: %.*s", ref->id,
		    (int)strcspn(why.text, "\n"), why.text);
		r->remain++;
		return 0;
	}
	r->compared++;
	r->seen |= result == API_OK;
	/* Read after it was fetched, so that what came in between shows. */
	rc = stored_row_read(r->f.db, ref, &row, err);
	if (rc == 0 && row.found)
		rc = result == API_OK && !snapshot_is_deleted(answer.json) ?
		    judge(r, ref, &row, answer.json, &answer, err) :
		    judge_gone(r, ref, &row, &answer, err);
	stored_row_clear(&row);
	api_answer_clear(&answer);
	fetch_progress("objects: %zu compared, %zu differ", r->compared,
	    r->stale);
	return rc;
}

static int
compare_unfinished(struct reconcile *r, const struct snapshot_kind *kind,
    struct object_ref *list, struct err *err)
{
	struct object_ref place = { .kind = kind };
	size_t n = 1;
	int rc = 0;

	while (rc == 0 && n > 0) {
		rc = page_unfinished(r->f.db, kind, &place, list, FETCH_PAGE,
		    &n, err);
		for (size_t i = 0; i < n && rc == 0; i++)
			if (fetch_sees_mode(&r->f, list[i].livemode))
				rc = compare_ref(r, &list[i], err);
	}
	return rc;
}

/* An event's object, if this event decides its row and that is finished. */
static int
compare_changed(struct reconcile *r, const struct object_ref *ref,
    struct err *err)
{
	struct stored_row row;
	bool wanted;
	int rc;

	if (ref->kind == NULL || ref->id[0] == '\0' ||
	    !fetch_sees_mode(&r->f, ref->livemode))
		return 0;
	rc = stored_row_read(r->f.db, ref, &row, err);
	wanted = rc == 0 && row.found && !row.unfinished &&
	    strcmp(row.event_id, ref->event_id) == 0;
	stored_row_clear(&row);
	return wanted ? compare_ref(r, ref, err) : rc;
}

int
reconcile_objects(struct reconcile *r, struct err *err)
{
	struct object_ref *list = mem_calloc(FETCH_PAGE, sizeof(*list));
	struct object_ref place = { .kind = NULL };
	size_t n = 1;
	int rc = 0;

	for (size_t i = 0; i < snapshot_nkinds && rc == 0; i++)
		rc = compare_unfinished(r, &snapshot_kinds[i], list, err);
	while (rc == 0 && n > 0) {
		rc = page_changed(r->f.db, r->from, r->f.now + 1, &place, list,
		    FETCH_PAGE, &n, err);
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = compare_changed(r, &list[i], err);
	}
	free(list);
	return rc;
}
