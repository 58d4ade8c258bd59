/* Journal -> temporary tables -> comparison, chunk by chunk. */
#include "store/rebuild_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/transaction.h"

enum { TRIES_MAX = 20 };	/* of a chunk whose locks others hold */

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
		    t->name, t->cols[0].name, rebuild_quoted(w, first, c->first),
		    rebuild_quoted(w, last, c->last));
		if (rebuild_query(w, sql) != 0)
			return -1;
		mysql_free_result(mysql_store_result(w->r->mysql));
	}
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
		if (rebuild_read_page(w, c) != 0 || (p->n > 0 && transaction_rows(
		    w->tx, p->list, p->n, w->err) != DB_OK))
			return -1;
		w->r->events += w->shared ? 0 : (long)p->read;
	} while (p->read == PAGE);
	return 0;
}

/* Compares the tables in work; each that differs goes to repair. */
static int
conclude(struct work *w, int (*repair)(struct work *, const struct table *))
{
	struct rebuild *r = w->r;

	for (size_t i = 0; i < mapping_ntables; i++) {
		const struct table *t = mapping_tables[i];
		long n;

		if (t->shared != w->shared)
			continue;
		n = compare_table(r->mysql, t, r->found, r->arg, w->err);
		if (n < 0 || (r->repair && (n > 0 || w->shared) &&
		    repair(w, t) != 0))
			return -1;
		r->rows += n;
	}
	return 0;
}

static int
clear(struct work *w)
{
	for (size_t i = 0; i < mapping_ntables; i++)
		if (mapping_tables[i]->shared == w->shared &&
		    compare_clear(w->r->mysql, mapping_tables[i],
		    w->err) != 0)
			return -1;
	return 0;
}

/* The chunk's rows are locked, so nobody else changes them. */
static int
repair_locked(struct work *w, const struct table *t)
{
	return compare_repair(w->r->mysql, t, false, w->err);
}

/* The snapshot has to be left before anything is written. */
static int
keep(struct work *w, const struct table *t)
{
	return compare_keep(w->r->mysql, t, w->err);
}

/* What no delivery has changed since the snapshot is written. */
static int
repair_kept(struct work *w)
{
	for (size_t i = 0; i < mapping_ntables; i++)
		if (mapping_tables[i]->shared && compare_repair(w->r->mysql,
		    mapping_tables[i], true, w->err) != 0)
			return -1;
	return rebuild_query(w, "COMMIT");
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
	    "VALUES(updated_at)", rebuild_quoted(w, id, object));
	return rebuild_query(w, sql);
}

static int
try_chunk(struct work *w, const struct chunk *c)
{
	/* Journal and rows are of one moment, whatever is being delivered. */
	if (rebuild_query(w, w->r->repair ? "START TRANSACTION" :
	    "START TRANSACTION WITH CONSISTENT SNAPSHOT") != 0)
		return -1;
	if ((w->r->repair && lock_rows(w, c) != 0) || compute(w, c) != 0 ||
	    conclude(w, repair_locked) != 0 || clear(w) != 0 ||
	    remember(w, c->last) != 0)
		return -1;
	return rebuild_query(w, "COMMIT");
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
	if (rebuild_query(w, "SELECT value FROM tool_state WHERE name = 'rebuild'") !=
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
	while (rebuild_next_chunk(w, &c) == 0) {
		if (!c.any)
			return remember(w, "");
		if (do_chunk(w, &c) != 0)
			return -1;
		w->r->progress(w->r->arg, w->r);
	}
	return -1;
}

/*
 * Then those to whose rows events of many objects contribute, as a whole and
 * of one moment: whoever subscribes to a plan would else wait for its lock.
 */
static int
rebuild_shared(struct work *w)
{
	struct chunk c = { .last = "" };

	w->shared = true;
	if (rebuild_query(w, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE "
	    "READ") != 0 ||
	    rebuild_query(w, "START TRANSACTION WITH CONSISTENT SNAPSHOT") != 0)
		return -1;
	for (;;) {
		if (rebuild_next_chunk(w, &c) != 0)
			return -1;
		if (!c.any)
			break;
		if (compute(w, &c) != 0)
			return -1;
		w->r->progress(w->r->arg, w->r);
	}
	if (conclude(w, keep) != 0 || rebuild_query(w, "COMMIT") != 0)
		return -1;
	return w->r->repair ? repair_kept(w) : 0;
}

static int
count_events(struct work *w)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	if (rebuild_query(w, "SELECT COUNT(*) FROM event_journal") != 0 ||
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
	w->start_us = clock_wall_us();
	obstack_init(&w->page.mem);
	if ((r->repair || rebuild_query(w, "SET SESSION TRANSACTION ISOLATION LEVEL "
	    "REPEATABLE READ") == 0) && count_events(w) == 0 &&
	    compare_open(r->mysql, err) == 0 &&
	    (w->tx = transaction_new(r->mysql, PAGE,
	    &r->cfg->user_metadata_keys, COMPARE_PREFIX)) != NULL &&
	    rebuild_objects(w) == 0 && rebuild_shared(w) == 0)
		rc = 0;
	rebuild_reset_page(&w->page);
	obstack_free(&w->page.mem, NULL);
	transaction_free(w->tx);
	free(w);
	return rc;
}
