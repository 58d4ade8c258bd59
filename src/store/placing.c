/* Rows sorted, one upsert per table, ties settled. */
#include "store/placing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/batch.h"
#include "store/pipeline.h"
#include "store/settle.h"
#include "store/stmt.h"
#include "store/upsert.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

/*
 * Bytes of rows that one statement sends, unless a single row has more: a
 * max_allowed_packet of 1 MiB takes it.
 */
enum { STATEMENT_BYTES = 512 * 1024 };

/* A row and the event that it comes from. */
struct placed {
	const struct row *row;
	const struct event *event;
};

struct placing {
	MYSQL *mysql;			/* borrowed, like this: */
	const char *prefix;
	size_t cap;			/* rows of a statement */
	struct stmt **upserts;		/* one per table, made when needed */
	struct settler *settler;
	struct placed *rows;		/* of the entries in hand, sorted */
	int64_t *ties;			/* of each row */
	size_t nrows, room;
};

struct placing *
placing_new(MYSQL *mysql, size_t cap, const struct strings *user_keys,
    const char *prefix)
{
	struct placing *w = mem_calloc(1, sizeof(*w));

	w->mysql = mysql;
	w->prefix = prefix;
	w->cap = cap;
	w->upserts = mem_calloc(mapping_ntables, sizeof(struct stmt *));
	w->settler = settler_new(mysql, user_keys, prefix);
	return w;
}

void
placing_free(struct placing *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < mapping_ntables; i++)
		stmt_free(w->upserts[i]);
	free(w->upserts);
	settler_free(w->settler);
	free(w->ties);
	free(w->rows);
	free(w);
}

static int
compare_value(const struct value *a, const struct value *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int c = len > 0 ? memcmp(a->s, b->s, len) : 0;

	return c != 0 ? c : (a->len > b->len) - (a->len < b->len);
}

/* Tables in their order, rows of one in the order of their primary key. */
static int
compare_placed(const void *pa, const void *pb)
{
	const struct placed *a = pa, *b = pb;
	const struct table *t = a->row->table;
	int c;

	if (t != b->row->table)
		return t->index < b->row->table->index ? -1 : 1;
	for (size_t i = 0; i < t->ncols; i++)
		if ((t->cols[i].flags & COL_KEY) != 0 &&
		    (c = compare_value(&a->row->values[i],
		    &b->row->values[i])) != 0)
			return c;
	if ((c = strcmp(a->event->account, b->event->account)) != 0)
		return c;
	return (int)a->event->livemode - (int)b->event->livemode;
}

static void
make_room(struct placing *w, size_t n)
{
	if (n <= w->room)
		return;
	w->rows = mem_reallocarray(w->rows, n, sizeof(*w->rows));
	w->ties = mem_reallocarray(w->ties, n, sizeof(*w->ties));
	w->room = n;
}

/* Gathers the rows of new events, sorted. */
static void
gather(struct placing *w, struct entry *const *e, const int64_t *deliveries,
    size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += e[i]->rows->n;
	make_room(w, total);
	w->nrows = 0;
	for (size_t i = 0; i < n; i++) {
		if (deliveries[i] != 1 || e[i]->out != OUT_OK)
			continue;
		for (size_t r = 0; r < e[i]->rows->n; r++)
			w->rows[w->nrows++] = (struct placed){
			    &e[i]->rows->row[r], e[i]->event };
	}
	if (w->nrows > 1)
		qsort(w->rows, w->nrows, sizeof(*w->rows), compare_placed);
}

/* Bytes that a row takes in a statement, about. */
static size_t
row_bytes(const struct row *row)
{
	size_t bytes = 0;

	for (size_t i = 0; i < row->table->ncols; i++)
		bytes += sizeof(row->values[i].i) + row->values[i].len;
	return bytes;
}

/* How many of the rows go into a statement for at most cap of them. */
static size_t
fitting(const struct placed *rows, size_t n, size_t cap)
{
	size_t bytes = 0, k = 0;

	while (k < n && k < cap && (k == 0 ||
	    bytes + row_bytes(rows[k].row) <= STATEMENT_BYTES))
		bytes += row_bytes(rows[k++].row);
	return k;
}

/* Makes the table's upsert when it is first needed. */
static enum db_class
prepare_upsert(struct placing *w, struct pipeline *pipeline,
    const struct table *t, struct err *err)
{
	struct stmt **st = &w->upserts[t->index];
	enum db_class class;

	if (*st != NULL)
		return DB_OK;
	if ((class = pipeline_answers(pipeline, DB_OK, err)) != DB_OK)
		return class;
	*st = upsert_prepare(w->mysql, t, UPSERT_NEWER, w->prefix, w->cap);
	return *st != NULL ? DB_OK : db_failed(w->mysql, t->name, err);
}

/* Sends n rows of one table from there on, as many as fit at a time. */
static enum db_class
send_table(struct placing *w, struct pipeline *pipeline, size_t from, size_t n,
    struct err *err)
{
	const struct placed *rows = &w->rows[from];
	const struct table *t = rows[0].row->table;
	enum db_class class = prepare_upsert(w, pipeline, t, err);
	struct stmt *st = w->upserts[t->index];

	for (size_t done = 0, k; done < n && class == DB_OK; done += k) {
		k = fitting(&rows[done], n - done, stmt_cap(st));
		for (size_t i = 0; i < k; i++)
			upsert_put(st, i, rows[done + i].row,
			    rows[done + i].event, 0);
		class = pipeline_send(pipeline, st, k, &w->ties[from + done],
		    t->name, err);
	}
	return class;
}

enum db_class
placing_send(struct placing *w, struct pipeline *pipeline,
    struct entry *const *e, const int64_t *deliveries, size_t n,
    struct err *err)
{
	enum db_class class = DB_OK;

	gather(w, e, deliveries, n);
	for (size_t i = 0, k; i < w->nrows && class == DB_OK; i += k) {
		k = 1;
		while (i + k < w->nrows && w->rows[i + k].row->table ==
		    w->rows[i].row->table)
			k++;
		class = send_table(w, pipeline, i, k, err);
	}
	return class;
}

/* What stands inside another object doesn't tie. */
static bool
may_tie(const struct placed *p)
{
	const struct value *key = &p->row->values[0];

	return strlen(p->event->object_id) == key->len &&
	    memcmp(p->event->object_id, key->s, key->len) == 0;
}

static bool
is_newer(const struct row *a, const struct row *b)
{
	size_t len = a->order_key_len < b->order_key_len ?
	    a->order_key_len : b->order_key_len;
	int c = memcmp(a->order_key, b->order_key, len);

	return c > 0 || (c == 0 && a->order_key_len > b->order_key_len);
}

/*
 * Of each stored row once: for the newest that was written there, since it
 * alone may be what the row is, and by what was reported last.
 */
enum db_class
placing_settle(struct placing *w, struct err *err)
{
	const struct placed *rows = w->rows, *newest;
	enum db_class class = DB_OK;

	for (size_t i = 0, end; i < w->nrows && class == DB_OK; i = end) {
		newest = NULL;
		for (end = i; end < w->nrows &&
		    compare_placed(&rows[i], &rows[end]) == 0; end++)
			if (may_tie(&rows[end]) && (newest == NULL ||
			    is_newer(rows[end].row, newest->row)))
				newest = &rows[end];
		if (newest != NULL && w->ties[end - 1] > 0)
			class = settle_row(w->settler, newest->row,
			    newest->event, w->ties[end - 1], err);
	}
	return class;
}
