/* Compares rows with Stripe's objects, column by column. */
#include <inttypes.h>
#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "ctl/reconcile_int.h"
#include "store/intake.h"
#include "store/reconcile.h"
#include "store/snapshot.h"
#include "store/tooldb.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

enum { VALUE_MAX = 64, SHOWN_MAX = 60 };

/*
 * Columns of which only whether they are empty is compared: these links carry
 * the time at which Stripe made them; and a key may not see the secrets.
 */
static const char *const volatile_columns[] = {
	"hosted_invoice_url", "invoice_pdf", "receipt_url",
	"client_secret_sha256",
};

static bool
is_volatile(const struct column *col)
{
	const size_t n = sizeof(volatile_columns) / sizeof(char *);

	for (size_t i = 0; i < n; i++)
		if (strcmp(volatile_columns[i], col->name) == 0)
			return true;
	return false;
}

/* What no snapshot of the object alone can tell. */
static bool
is_compared(const struct column *col)
{
	return col->merge != MERGE_LEAST && col->type != COL_SHA256 &&
	    strcmp(col->name, "detached") != 0;
}

/* The value as the database's text of it, or NULL. */
static const char *
fetched_text(const struct value *v, char buffer[VALUE_MAX],
    struct obstack *mem)
{
	switch (v->type) {
	case VALUE_NULL:
		return NULL;
	case VALUE_INT:
	case VALUE_TIME:
		snprintf(buffer, VALUE_MAX, "%" PRId64, v->i);
		return buffer;
	case VALUE_BYTES:
		return obstack_copy0(mem, v->s, (int)v->len);
	}
	return NULL;
}

static bool
same_json(const char *a, const char *b)
{
	struct json_object *x = json_tokener_parse(a);
	struct json_object *y = json_tokener_parse(b);
	bool same = json_object_equal(x, y) != 0;

	json_object_put(x);
	json_object_put(y);
	return same;
}

static bool
same_text(const struct column *col, const char *stored, const char *fetched)
{
	if (stored == NULL || fetched == NULL)
		return stored == fetched;
	if (is_volatile(col))
		return true;
	if (col->type == COL_JSON)
		return same_json(stored, fetched);
	return strcmp(stored, fetched) == 0;
}

/* A value for people: times as such, long ones cut. */
static const char *
shown(const struct column *col, const char *text, char buffer[VALUE_MAX + 8])
{
	time_t t;
	struct tm tm;

	if (text == NULL)
		return "NULL";
	if (col->type == COL_TIME) {
		t = (time_t)strtoll(text, NULL, 10);
		if (gmtime_r(&t, &tm) != NULL &&
		    strftime(buffer, VALUE_MAX, "%F %T", &tm) > 0)
			return buffer;
	}
	snprintf(buffer, VALUE_MAX + 8, "'%.*s'%s", SHOWN_MAX, text,
	    strlen(text) > SHOWN_MAX ? "..." : "");
	return buffer;
}

static struct json_object *
json_text(const char *text)
{
	return text != NULL ? json_object_new_string(text) : NULL;
}

static void
report(struct reconcile *r, const struct object_ref *ref,
    const struct column *col, const char *stored, const char *fetched)
{
	char a[VALUE_MAX + 8], b[VALUE_MAX + 8];
	struct json_object *entry;

	if (!r->json) {
		fetch_progress_end();
		printf("%s %s %s: stored %s, at Stripe %s\n",
		    ref->kind->table, ref->id, col->name,
		    shown(col, stored, a), shown(col, fetched, b));
		return;
	}
	entry = json_object_new_object();
	json_object_object_add(entry, "object",
	    json_object_new_string(ref->id));
	json_object_object_add(entry, "table",
	    json_object_new_string(ref->kind->table));
	json_object_object_add(entry, "column",
	    json_object_new_string(col->name));
	json_object_object_add(entry, "stored", json_text(stored));
	json_object_object_add(entry, "fetched", json_text(fetched));
	json_object_array_add(r->differences, entry);
}

/* Compares; returns how many columns differ. */
static size_t
compare(struct reconcile *r, const struct object_ref *ref,
    const struct stored_row *stored, const struct row *row,
    struct obstack *mem)
{
	const struct table *table = row->table;
	size_t n = 0;

	for (size_t i = 0; i < table->ncols; i++) {
		const struct column *col = &table->cols[i];
		char buffer[VALUE_MAX];
		const char *fetched = fetched_text(&row->values[i], buffer,
		    mem);

		if (!is_compared(col) ||
		    same_text(col, stored->values[i], fetched))
			continue;
		report(r, ref, col, stored->values[i], fetched);
		n++;
	}
	return n;
}

/* Maps the object as its snapshot would be, and compares. *n: as above. */
static int
compare_object(struct reconcile *r, const struct object_ref *ref,
    const struct stored_row *stored, struct json_object *object,
    const struct api_answer *answer, size_t *n)
{
	struct fetched how = { ref->account, ref->livemode,
	    fetch_date(answer), answer->version };
	size_t len;
	char *text = snapshot_text(object, &how, &len);
	const char *why = "";
	struct obstack mem;
	struct event event;
	struct rows rows;
	int rc = -1;

	*n = 0;
	obstack_init(&mem);
	if (event_parse(&event, &mem, text, len, &why) != OUT_OK) {
		err_add(&r->f.notes, "%s: %s", ref->id, why);
	} else if (mapping_apply(&rows, &mem, &event,
	    &r->f.cfg.user_metadata_keys) != OUT_OK) {
		err_add(&r->f.notes, "%s: %s", ref->id, rows.reason);
	} else {
		*n = compare(r, ref, stored, &rows.row[0], &mem);
		rc = 0;
	}
	event_drop_json(&event);
	obstack_free(&mem, NULL);
	free(text);
	return rc;
}

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
	    compare_object(r, ref, row, object, answer, &n) != 0 || n == 0)
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
		rc = page_changed(r->f.db, r->from * 1000000, &place, list,
		    FETCH_PAGE, &n, err);
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = compare_changed(r, &list[i], err);
	}
	free(list);
	return rc;
}
