/*
 * The tables to whose rows events of many objects contribute, as a whole and
 * of one moment: whoever subscribes to a plan would else wait for its lock.
 */
#include "store/rebuild_int.h"

#include <stdio.h>

#include "base/err.h"
#include "store/compare.h"

enum { PASSES = 3 };	/* over rows that deliveries keep changing */

static int
compute_type(struct work *w, const char *type)
{
	rebuild_first_page(&w->page, "");
	do {
		if (rebuild_read_type(w, type) != 0 ||
		    rebuild_write_page(w) != 0)
			return -1;
		w->r->shared = w->events;
		w->r->progress(w->r->arg, w->r);
	} while (w->page.read == PAGE);
	return 0;
}

/* Events of the types that give such rows, all as of one moment. */
static int
compare_shared(struct work *w)
{
	MYSQL_RES *res;
	MYSQL_ROW row;
	int rc = 0;

	if (rebuild_query(w, "START TRANSACTION WITH CONSISTENT SNAPSHOT") != 0)
		return -1;
	fputs("SELECT DISTINCT event_type FROM event_journal",
	    sql_begin(&w->sql, w->r->mysql));
	if ((res = sql_read(&w->sql, "rebuild", w->err)) == NULL)
		return -1;
	while (rc == 0 && (row = mysql_fetch_row(res)) != NULL)
		if (mapping_shares(row[0]))
			rc = compute_type(w, row[0]);
	mysql_free_result(res);
	if (rc != 0 || rebuild_compare(w) != 0)
		return -1;
	return rebuild_query(w, "COMMIT");
}

/* Returns how many rows deliveries have changed since, or -1. */
static long
try_repair(struct work *w, const struct table *t)
{
	long changed;

	if (rebuild_query(w, "START TRANSACTION") != 0 ||
	    (changed = compare_recheck(w->r->mysql, t, &w->found,
	    w->err)) < 0 ||
	    compare_repair(w->r->mysql, t, w->err) != 0 ||
	    rebuild_query(w, "COMMIT") != 0)
		return -1;
	return changed;
}

static long
repair_table(struct work *w, const struct table *t)
{
	long changed;

	for (int tries = 0; tries < REBUILD_TRIES; tries++) {
		err_reset(w->err);
		if ((changed = try_repair(w, t)) >= 0 || !rebuild_again(w))
			return changed;
	}
	return -1;
}

/* Each table by itself, so that others are in its way less often. */
static long
repair_shared(struct work *w)
{
	long changed = 0;

	for (size_t i = 0; i < mapping_ntables; i++) {
		long n = 0;

		if (mapping_tables[i]->shared && w->differs[i])
			n = repair_table(w, mapping_tables[i]);
		if (n < 0)
			return -1;
		changed += n;
	}
	return changed;
}

int
rebuild_shared(struct work *w)
{
	struct rebuild *r = w->r;

	w->shared = true;
	for (int pass = 0; pass < PASSES; pass++) {
		rebuild_forget(w);
		if (rebuild_each_table(w, compare_clear) != 0 ||
		    compare_shared(w) != 0)
			return -1;
		if (r->repair && (r->left = repair_shared(w)) < 0)
			return -1;
		w->rows -= r->left;
		rebuild_tell(w);
		if (r->left == 0)
			break;
	}
	return 0;
}
