/*
 * Reads the journal, page by page: in chunks of whole objects, or by type.
 * Pages follow an index, so that none is sorted, however many events an
 * object or a type has.
 */
#include "store/rebuild_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/db.h"

enum { CHUNK_EVENTS = 2000 };	/* events of a chunk, or a single object */

int
rebuild_query(struct work *w, const char *sql)
{
	fputs(sql, sql_begin(&w->sql, w->r->mysql));
	return sql_run(&w->sql, "rebuild", w->err);
}

int
rebuild_next_chunk(struct work *w, struct chunk *c)
{
	FILE *out = sql_begin(&w->sql, w->r->mysql);
	MYSQL_RES *res;
	MYSQL_ROW row;
	long events = 0;

	/* Objects that are new since the start would keep it from an end. */
	fputs("SELECT object_id, COUNT(*) FROM event_journal FORCE INDEX "
	    "(object_created) WHERE object_id > ", out);
	sql_text(&w->sql, c->after);
	fprintf(out, " GROUP BY object_id HAVING MIN(created_at) <= "
	    "'1970-01-01' + INTERVAL %" PRId64 " MICROSECOND ORDER BY "
	    "object_id LIMIT %d", w->start_us, w->objects);
	if ((res = sql_read(&w->sql, "rebuild", w->err)) == NULL)
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

void
rebuild_first_page(struct page *p, const char *first)
{
	snprintf(p->object, sizeof(p->object), "%s", first);
	/* Before any time. */
	snprintf(p->at, sizeof(p->at), "1969-12-31");
	p->id[0] = '\0';
}

void
rebuild_reset_page(struct page *p)
{
	for (size_t i = 0; i < p->read && i < PAGE; i++)
		event_drop_json(&p->events[i]);
	obstack_free(&p->mem, NULL);
	obstack_init(&p->mem);
	p->n = p->read = 0;
}

/* Of the event's rows only those of tables in work stay; links once. */
static void
keep_rows(const struct work *w, struct rows *rows)
{
	size_t kept = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (rows->row[i].table->shared == w->shared)
			rows->row[kept++] = rows->row[i];
	rows->n = kept;
	if (w->shared)
		rows->nlinks = 0;
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

/* What an index has after these columns' values of the page's last event. */
static void
put_after(struct work *w, const char *time)
{
	FILE *out = w->sql.out;

	fprintf(out, " AND (j.%s > '%s' OR (j.%s = '%s' AND "
	    "j.stripe_event_id > ", time, w->page.at, time, w->page.at);
	sql_text(&w->sql, w->page.id);
	fputs("))", out);
}

static void
put_select(struct work *w, const char *time, const char *index)
{
	fprintf(sql_begin(&w->sql, w->r->mysql), "SELECT STRAIGHT_JOIN "
	    "j.object_id, j.%s, j.stripe_event_id, p.payload FROM "
	    "event_journal j FORCE INDEX (%s) JOIN event_payloads p ON "
	    "p.created_at = j.created_at AND p.stripe_event_id = "
	    "j.stripe_event_id WHERE j.status = 'processed' AND ", time,
	    index);
}

/* A payload at a time is in memory: there may be large ones. */
static int
read_page(struct work *w)
{
	struct page *p = &w->page;
	MYSQL_RES *res;
	MYSQL_ROW row;

	fprintf(w->sql.out, " LIMIT %d", PAGE);
	rebuild_reset_page(p);
	if (sql_run(&w->sql, "rebuild", w->err) != 0)
		return -1;
	if ((res = mysql_use_result(w->r->mysql)) != NULL) {
		while ((row = mysql_fetch_row(res)) != NULL) {
			snprintf(p->object, sizeof(p->object), "%s", row[0]);
			snprintf(p->at, sizeof(p->at), "%s", row[1]);
			snprintf(p->id, sizeof(p->id), "%s", row[2]);
			take_event(w, row[3], mysql_fetch_lengths(res)[3]);
		}
		mysql_free_result(res);
	}
	if (mysql_errno(w->r->mysql) == 0)
		return 0;
	db_says(w->r->mysql, "rebuild", w->err);
	return -1;
}

int
rebuild_read_chunk(struct work *w, const struct chunk *c)
{
	put_select(w, "created", "object_created");
	fputs("((j.object_id = ", w->sql.out);
	sql_text(&w->sql, w->page.object);
	put_after(w, "created");
	/* A range that is empty would make MariaDB sort. */
	if (strcmp(w->page.object, c->last) != 0) {
		fputs(") OR (j.object_id > ", w->sql.out);
		sql_text(&w->sql, w->page.object);
		fputs(" AND j.object_id <= ", w->sql.out);
		sql_text(&w->sql, c->last);
	}
	fputs(")) ORDER BY j.object_id, j.created, j.stripe_event_id",
	    w->sql.out);
	return read_page(w);
}

int
rebuild_read_type(struct work *w, const char *type)
{
	put_select(w, "created_at", "type_created_at");
	fputs("j.event_type = ", w->sql.out);
	sql_text(&w->sql, type);
	put_after(w, "created_at");
	fputs(" ORDER BY j.created_at, j.stripe_event_id", w->sql.out);
	return read_page(w);
}
