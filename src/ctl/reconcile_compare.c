/* Compares a row with Stripe's object, column by column. */
#include <inttypes.h>
#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "ctl/reconcile_int.h"
#include "store/reconcile.h"
#include "store/snapshot.h"
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

int
reconcile_compare(struct reconcile *r, const struct object_ref *ref,
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
