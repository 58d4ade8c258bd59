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
#include "store/compare.h"
#include "store/db.h"
#include "store/transaction.h"

enum {
	RETRY_US = 10000,	/* until the locks of others are gone */
	CHUNK_OBJECTS = 256	/* objects at a time */
};

/*
 * What deliveries would write to these rows waits until the chunk is done, new
 * rows among them too (REPEATABLE READ locks what is between), so that none is
 * overwritten by what was computed before it came.
 */
static int
lock_rows(struct work *w, const struct chunk *c)
{
	for (size_t i = 0; i < mapping_ntables; i++) {
		const struct table *t = mapping_tables[i];
		MYSQL_RES *res;
		FILE *out;

		if (!w->locks[i])
			continue;
		out = sql_begin(&w->sql, w->r->mysql);
		fprintf(out, "SELECT COUNT(*) FROM (SELECT 1 FROM %s WHERE "
		    "%s BETWEEN ", t->name, t->cols[0].name);
		sql_text(&w->sql, c->first);
		fputs(" AND ", out);
		sql_text(&w->sql, c->last);
		fputs(" FOR UPDATE) x", out);
		if ((res = sql_read(&w->sql, t->name, w->err)) == NULL)
			return -1;
		mysql_free_result(res);
	}
	return 0;
}

int
rebuild_write_page(struct work *w)
{
	struct page *p = &w->page;

	w->events += (long)p->read;
	w->wrote = p->n == 0 ? DB_OK :
	    transaction_rows(w->tx, p->list, p->n, w->err);
	return w->wrote == DB_OK ? 0 : -1;
}

static int
compute_chunk(struct work *w, const struct chunk *c)
{
	rebuild_first_page(&w->page, c->first);
	do
		if (rebuild_read_chunk(w, c) != 0 ||
		    rebuild_write_page(w) != 0)
			return -1;
	while (w->page.read == PAGE);
	return 0;
}

int
rebuild_compare(struct work *w)
{
	long links = 0;

	if (!w->shared &&
	    (links = compare_links(w->r->mysql, &w->found, w->err)) < 0)
		return -1;
	w->rows += links;
	for (size_t i = 0; i < mapping_ntables; i++) {
		long n = 0;

		if (mapping_tables[i]->shared == w->shared)
			n = compare_table(w->r->mysql, mapping_tables[i],
			    &w->found, w->err);
		if (n < 0)
			return -1;
		w->differs[i] = n > 0;
		w->rows += n;
	}
	return 0;
}

int
rebuild_each_table(struct work *w, int (*act)(MYSQL *, const struct table *,
    struct err *))
{
	for (size_t i = 0; i < mapping_ntables; i++)
		if (mapping_tables[i]->shared == w->shared &&
		    act(w->r->mysql, mapping_tables[i], w->err) != 0)
			return -1;
	return 0;
}

void
rebuild_forget(struct work *w)
{
	err_reset(w->err);
	differences_clear(&w->found);
	w->events = w->rows = 0;
}

void
rebuild_tell(struct work *w)
{
	struct rebuild *r = w->r;

	for (size_t i = 0; i < w->found.n; i++)
		r->found(r->arg, &w->found.list[i]);
	differences_clear(&w->found);
	r->rows += w->rows;
	w->rows = 0;
}

bool
rebuild_again(struct work *w)
{
	enum db_class class = w->wrote != DB_OK ? w->wrote :
	    db_class_of(w->r->mysql);

	w->wrote = DB_OK;
	mysql_rollback(w->r->mysql);
	if (class != DB_RETRY)
		return false;
	usleep(RETRY_US);
	return true;
}

static int
remember(struct work *w, const char *object)
{
	if (!w->r->repair)
		return 0;
	fputs("INSERT INTO tool_state (name, value, updated_at) VALUES "
	    "('rebuild', ", sql_begin(&w->sql, w->r->mysql));
	sql_text(&w->sql, object);
	fputs(", UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE value = "
	    "VALUES(value), updated_at = VALUES(updated_at)", w->sql.out);
	return sql_run(&w->sql, "tool_state", w->err);
}

static int
repair(struct work *w)
{
	return rebuild_each_table(w, compare_repair) == 0 ?
	    compare_repair_links(w->r->mysql, w->err) : -1;
}

static int
clear(struct work *w)
{
	return rebuild_each_table(w, compare_clear) == 0 ?
	    compare_clear_links(w->r->mysql, w->err) : -1;
}

/* Whether all that differs was locked; if not, the next try will. */
static bool
is_locked(struct work *w)
{
	bool locked = true;

	for (size_t i = 0; i < mapping_ntables; i++) {
		locked &= w->locks[i] || !w->differs[i];
		w->locks[i] |= w->differs[i];
	}
	return locked;
}

enum chunk_end { CHUNK_FAILED, CHUNK_UNLOCKED, CHUNK_DONE };

/* Journal and rows are of one moment, whatever is being delivered. */
static enum chunk_end
try_chunk(struct work *w, const struct chunk *c)
{
	if (clear(w) != 0 || rebuild_query(w, "START TRANSACTION") != 0 ||
	    lock_rows(w, c) != 0 || compute_chunk(w, c) != 0 ||
	    rebuild_compare(w) != 0)
		return CHUNK_FAILED;
	if (w->r->repair && !is_locked(w))
		return CHUNK_UNLOCKED;
	if ((w->r->repair && w->rows > 0 && repair(w) != 0) ||
	    remember(w, c->last) != 0 || rebuild_query(w, "COMMIT") != 0)
		return CHUNK_FAILED;
	return CHUNK_DONE;
}

/* What differed in this chunk may in the next. */
static void
finish_chunk(struct work *w, struct chunk *c)
{
	for (size_t i = 0; i < mapping_ntables; i++)
		w->locks[i] = w->r->repair && w->differs[i];
	w->r->events += w->events;
	rebuild_tell(w);
	memcpy(c->after, c->last, sizeof(c->after));
	if (w->objects < CHUNK_OBJECTS)
		w->objects *= 2;
}

/* Deliveries conflict less with a smaller one, which is done sooner, too. */
static int
make_smaller(struct work *w, struct chunk *c)
{
	if (w->objects == 1)
		return 0;
	w->objects /= 2;
	return rebuild_next_chunk(w, c);
}

/*
 * Only tables that differ are locked, and then compared again. A delivery may
 * hold a lock, or be the victim of ours, or on another node make us its victim:
 * then once more.
 */
static int
do_chunk(struct work *w, struct chunk *c)
{
	int tries = 0;

	while (tries < REBUILD_TRIES) {
		enum chunk_end end;

		rebuild_forget(w);
		if ((end = try_chunk(w, c)) == CHUNK_DONE) {
			finish_chunk(w, c);
			return 0;
		}
		if (end == CHUNK_UNLOCKED && mysql_rollback(w->r->mysql) == 0)
			continue;
		tries++;
		if (!rebuild_again(w) || make_smaller(w, c) != 0)
			return -1;
	}
	return -1;
}

static int
load_position(struct work *w, struct chunk *c)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	c->after[0] = '\0';
	if (!w->r->repair || w->r->restart)
		return 0;
	fputs("SELECT value FROM tool_state WHERE name = 'rebuild'",
	    sql_begin(&w->sql, w->r->mysql));
	if ((res = sql_read(&w->sql, "tool_state", w->err)) == NULL)
		return -1;
	if ((row = mysql_fetch_row(res)) != NULL)
		snprintf(c->after, sizeof(c->after), "%s", row[0]);
	mysql_free_result(res);
	return 0;
}

/* First the objects' own tables, chunk by chunk. */
static int
rebuild_objects(struct work *w)
{
	struct chunk c;

	w->shared = false;
	w->objects = CHUNK_OBJECTS;
	if (load_position(w, &c) != 0)
		return -1;
	while (rebuild_next_chunk(w, &c) == 0) {
		if (!c.any)
			return 0;
		if (do_chunk(w, &c) != 0)
			return -1;
		w->r->progress(w->r->arg, w->r);
	}
	return -1;
}

static int
count_events(struct work *w)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	fputs("SELECT COUNT(*) FROM event_journal",
	    sql_begin(&w->sql, w->r->mysql));
	if ((res = sql_read(&w->sql, "rebuild", w->err)) == NULL)
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
	w->differs = mem_calloc(mapping_ntables, sizeof(*w->differs));
	w->locks = mem_calloc(mapping_ntables, sizeof(*w->locks));
	obstack_init(&w->page.mem);
	differences_init(&w->found);
	if (rebuild_query(w, "SET SESSION TRANSACTION ISOLATION LEVEL "
	    "REPEATABLE READ") == 0 && count_events(w) == 0 &&
	    compare_open(r->mysql, err) == 0 &&
	    (w->tx = transaction_new(r->mysql, PAGE,
	    &r->cfg->user_metadata_keys, COMPARE_PREFIX)) != NULL &&
	    rebuild_objects(w) == 0 && rebuild_shared(w) == 0 &&
	    remember(w, "") == 0 && rebuild_query(w, "COMMIT") == 0)
		rc = 0;
	else if (err->len == 0)
		db_says(r->mysql, "rebuild", err);
	rebuild_reset_page(&w->page);
	obstack_free(&w->page.mem, NULL);
	differences_free(&w->found);
	transaction_free(w->tx);
	free(w->locks);
	free(w->differs);
	free(w);
	return rc;
}
