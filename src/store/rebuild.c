/* Journal -> temporary tables -> comparison, chunk by chunk. */
#include "store/rebuild.h"

#include <inttypes.h>
#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/transaction.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

enum {
	CHUNK_OBJECTS = 200,	/* objects that are locked at a time */
	CHUNK_EVENTS = 2000,	/* events of a chunk, or a single object */
	PAGE = 200,		/* events that are in memory at a time */
	TRIES_MAX = 20		/* of a chunk whose locks others hold */
};

/* Where the journal is read from: objects in the order of their ids. */
struct chunk {
	char first[256], last[256];
	bool any;
};

/* A page of events and their rows. */
struct page {
	struct obstack mem;
	struct event events[PAGE];
	struct rows rows[PAGE];
	struct entry entries[PAGE], *list[PAGE];
	size_t n;		/* entries with rows */
	size_t read;		/* events read */
	char object[256], id[256];	/* of the last one */
};

struct work {
	struct rebuild *r;
	struct transaction *tx;
	struct page page;
	int64_t until;		/* rows that later events decide are let be */
	bool shared;		/* the tables that are in work */
	struct err *err;
};

static int
query(struct work *w, const char *sql)
{
	if (mysql_query(w->r->mysql, sql) == 0)
		return 0;
	err_add(w->err, "rebuild: %s (%u)", mysql_error(w->r->mysql),
	    mysql_errno(w->r->mysql));
	return -1;
}

static const char *
quoted(struct work *w, char to[2 * 255 + 1], const char *s)
{
	mysql_real_escape_string(w->r->mysql, to, s,
	    (unsigned long)strnlen(s, 255));
	return to;
}

/* The next objects after the last one. */
static int
next_chunk(struct work *w, struct chunk *c)
{
	char last[2 * 255 + 1], sql[1024];
	MYSQL_RES *res;
	MYSQL_ROW row;
	long events = 0;

	snprintf(sql, sizeof(sql), "SELECT object_id, COUNT(*) FROM "
	    "event_journal WHERE object_id > '%s' GROUP BY object_id ORDER "
	    "BY object_id LIMIT %d", quoted(w, last, c->last), CHUNK_OBJECTS);
	if (query(w, sql) != 0 ||
	    (res = mysql_store_result(w->r->mysql)) == NULL)
		return -1;
	c->any = false;
	while (events < CHUNK_EVENTS && (row = mysql_fetch_row(res)) != NULL) {
		if (!c->any)
			snprintf(c->first, sizeof(c->first), "%s", row[0]);
		snprintf(c->last, sizeof(c->last), "%s", row[0]);
		events += strtol(row[1], NULL, 10);
		c->any = true;
	}
	mysql_free_result(res);
	return 0;
}

/*
 * Deliveries of these objects wait until the chunk is done, so that none is
 * overwritten by what was computed before it came.
 */
static int
lock_rows(struct work *w, const struct chunk *c)
{
	char first[2 * 255 + 1], last[2 * 255 + 1], sql[2048];

	for (size_t i = 0; i < mapping_ntables; i++) {
		const struct table *t = mapping_tables[i];

		if (t->shared)
			continue;
		snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM (SELECT 1 "
		    "FROM %s WHERE %s BETWEEN '%s' AND '%s' FOR UPDATE) x",
		    t->name, t->cols[0].name, quoted(w, first, c->first),
		    quoted(w, last, c->last));
		if (query(w, sql) != 0)
			return -1;
		mysql_free_result(mysql_store_result(w->r->mysql));
	}
	return 0;
}

static void
reset_page(struct page *p)
{
	for (size_t i = 0; i < p->read && i < PAGE; i++)
		event_drop_json(&p->events[i]);
	obstack_free(&p->mem, NULL);
	obstack_init(&p->mem);
	p->n = p->read = 0;
}

/* Of the event's rows only those of tables in work stay. */
static void
keep_rows(const struct work *w, struct rows *rows)
{
	size_t kept = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (rows->row[i].table->shared == w->shared)
			rows->row[kept++] = rows->row[i];
	rows->n = kept;
}

static void
take_event(struct work *w, const char *payload, size_t len)
{
	struct page *p = &w->page;
	struct event *ev = &p->events[p->read];
	struct rows *rows = &p->rows[p->read];
	struct entry *e = &p->entries[p->read];
	const char *why;

	memset(ev, 0, sizeof(*ev));
	*rows = (struct rows){ .n = 0 };
	p->read++;
	if (event_parse(ev, &p->mem, payload, len, &why) != OUT_OK)
		return;
	if (mapping_apply(rows, &p->mem, ev,
	    &w->r->cfg->user_metadata_keys) == OUT_OK) {
		keep_rows(w, rows);
		*e = (struct entry){ .event = ev, .rows = rows,
		    .out = OUT_OK };
		p->list[p->n++] = e;
	}
	event_drop_json(ev);
}

/* Reads the chunk's next events after the page's last one. */
static int
read_page(struct work *w, const struct chunk *c)
{
	char object[2 * 255 + 1], id[2 * 255 + 1], last[2 * 255 + 1];
	struct page *p = &w->page;
	char sql[3072];
	MYSQL_RES *res;
	MYSQL_ROW row;

	reset_page(p);
	snprintf(sql, sizeof(sql), "SELECT j.object_id, j.stripe_event_id, "
	    "p.payload FROM event_journal j JOIN event_payloads p ON "
	    "p.created_at = j.created_at AND p.stripe_event_id = "
	    "j.stripe_event_id WHERE j.object_id BETWEEN '%s' AND '%s' AND "
	    "(j.object_id > '%s' OR j.stripe_event_id > '%s') AND "
	    "j.status = 'processed' ORDER BY j.object_id, j.stripe_event_id "
	    "LIMIT %d", quoted(w, object, p->object), quoted(w, last, c->last),
	    object, quoted(w, id, p->id), PAGE);
	if (query(w, sql) != 0 ||
	    (res = mysql_store_result(w->r->mysql)) == NULL)
		return -1;
	while ((row = mysql_fetch_row(res)) != NULL) {
		snprintf(p->object, sizeof(p->object), "%s", row[0]);
		snprintf(p->id, sizeof(p->id), "%s", row[1]);
		take_event(w, row[2], mysql_fetch_lengths(res)[2]);
	}
	mysql_free_result(res);
	return 0;
}

/* The chunk's rows, into the temporary tables. */
static int
compute(struct work *w, const struct chunk *c)
{
	struct page *p = &w->page;

	snprintf(p->object, sizeof(p->object), "%s", c->first);
	p->id[0] = '\0';
	do {
		if (read_page(w, c) != 0 || (p->n > 0 && transaction_rows(
		    w->tx, p->list, p->n, w->err) != DB_OK))
			return -1;
		w->r->events += w->shared ? 0 : (long)p->read;
	} while (p->read == PAGE);
	return 0;
}

/* Compares or repairs the tables in work. */
static int
conclude(struct work *w)
{
	struct rebuild *r = w->r;

	for (size_t i = 0; i < mapping_ntables; i++) {
		const struct table *t = mapping_tables[i];
		long n;

		if (t->shared != w->shared)
			continue;
		n = compare_table(r->mysql, t, w->until, r->found, r->arg,
		    w->err);
		if (n < 0 || (n > 0 && r->repair && compare_repair(r->mysql,
		    t, w->until, w->err) != 0) ||
		    compare_clear(r->mysql, t, w->err) != 0)
			return -1;
		r->rows += n;
	}
	return 0;
}

static int
remember(struct work *w, const char *object)
{
	char id[2 * 255 + 1], sql[1024];

	if (!w->r->repair)
		return 0;
	snprintf(sql, sizeof(sql), "INSERT INTO tool_state (name, value, "
	    "updated_at) VALUES ('rebuild', '%s', UTC_TIMESTAMP(6)) ON "
	    "DUPLICATE KEY UPDATE value = VALUES(value), updated_at = "
	    "VALUES(updated_at)", quoted(w, id, object));
	return query(w, sql);
}

static int
try_chunk(struct work *w, const struct chunk *c)
{
	/* Journal and rows are of one moment, whatever is being delivered. */
	if (query(w, w->r->repair ? "START TRANSACTION" :
	    "START TRANSACTION WITH CONSISTENT SNAPSHOT") != 0)
		return -1;
	if ((w->r->repair && lock_rows(w, c) != 0) || compute(w, c) != 0 ||
	    conclude(w) != 0 || remember(w, c->last) != 0)
		return -1;
	return query(w, "COMMIT");
}

/* A delivery may hold a lock, or be the victim of ours: then once more. */
static int
do_chunk(struct work *w, const struct chunk *c)
{
	struct err *err = w->err;
	unsigned number;

	for (int tries = 0; tries < TRIES_MAX; tries++) {
		long events = w->r->events, rows = w->r->rows;

		err_reset(err);
		if (try_chunk(w, c) == 0)
			return 0;
		number = mysql_errno(w->r->mysql);
		mysql_rollback(w->r->mysql);
		w->r->events = events;
		w->r->rows = rows;
		if (db_classify(number, "HY000") != DB_RETRY)
			return -1;
		usleep(10000);
	}
	return -1;
}

static int
load_position(struct work *w, struct chunk *c)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	c->last[0] = '\0';
	if (!w->r->repair || w->r->restart)
		return 0;
	if (query(w, "SELECT value FROM tool_state WHERE name = 'rebuild'") !=
	    0 || (res = mysql_store_result(w->r->mysql)) == NULL)
		return -1;
	if ((row = mysql_fetch_row(res)) != NULL)
		snprintf(c->last, sizeof(c->last), "%s", row[0]);
	mysql_free_result(res);
	return 0;
}

/* First the objects' own tables, chunk by chunk. */
static int
rebuild_objects(struct work *w)
{
	struct chunk c;

	w->shared = false;
	if (load_position(w, &c) != 0)
		return -1;
	while (next_chunk(w, &c) == 0) {
		if (!c.any)
			return remember(w, "");
		if (do_chunk(w, &c) != 0)
			return -1;
		w->r->progress(w->r->arg, w->r);
	}
	return -1;
}

/* Then those to whose rows events of many objects contribute, as a whole. */
static int
rebuild_shared(struct work *w)
{
	struct chunk c = { .last = "" };

	w->shared = true;
	for (;;) {
		if (next_chunk(w, &c) != 0)
			return -1;
		if (!c.any)
			break;
		if (compute(w, &c) != 0 || query(w, "COMMIT") != 0)
			return -1;
		w->r->progress(w->r->arg, w->r);
	}
	return conclude(w) != 0 ? -1 : query(w, "COMMIT");
}

static int
count_events(struct work *w)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	if (query(w, "SELECT COUNT(*) FROM event_journal") != 0 ||
	    (res = mysql_store_result(w->r->mysql)) == NULL)
		return -1;
	if ((row = mysql_fetch_row(res)) != NULL)
		w->r->total = strtol(row[0], NULL, 10);
	mysql_free_result(res);
	return 0;
}

int
rebuild_run(struct rebuild *r, struct err *err)
{
	struct work *w = mem_calloc(1, sizeof(*w));
	int rc = -1;

	w->r = r;
	w->err = err;
	w->until = clock_wall_us();
	obstack_init(&w->page.mem);
	if ((r->repair || query(w, "SET SESSION TRANSACTION ISOLATION LEVEL "
	    "REPEATABLE READ") == 0) && count_events(w) == 0 &&
	    compare_open(r->mysql, err) == 0 &&
	    (w->tx = transaction_new(r->mysql, PAGE,
	    &r->cfg->user_metadata_keys, COMPARE_PREFIX)) != NULL &&
	    rebuild_objects(w) == 0 && rebuild_shared(w) == 0)
		rc = 0;
	reset_page(&w->page);
	obstack_free(&w->page.mem, NULL);
	transaction_free(w->tx);
	free(w);
	return rc;
}
