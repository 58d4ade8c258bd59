/* Reads the journal in chunks of whole objects, page by page. */
#include "store/rebuild_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum {
	CHUNK_OBJECTS = 200,	/* objects that are locked at a time */
	CHUNK_EVENTS = 2000	/* events of a chunk, or a single object */
};

int
rebuild_query(struct work *w, const char *sql)
{
	if (mysql_query(w->r->mysql, sql) == 0)
		return 0;
	err_add(w->err, "rebuild: %s (%u)", mysql_error(w->r->mysql),
	    mysql_errno(w->r->mysql));
	return -1;
}

const char *
rebuild_quoted(struct work *w, char to[2 * 255 + 1], const char *s)
{
	mysql_real_escape_string(w->r->mysql, to, s,
	    (unsigned long)strnlen(s, 255));
	return to;
}

/* The next objects after the last one. */
int
rebuild_next_chunk(struct work *w, struct chunk *c)
{
	char last[2 * 255 + 1], sql[1024];
	MYSQL_RES *res;
	MYSQL_ROW row;
	long events = 0;

	/* Objects that are new since the start would keep it from an end. */
	snprintf(sql, sizeof(sql), "SELECT object_id, COUNT(*) FROM "
	    "event_journal WHERE object_id > '%s' GROUP BY object_id HAVING "
	    "MIN(created_at) <= '1970-01-01' + INTERVAL %" PRId64
	    " MICROSECOND ORDER BY object_id LIMIT %d",
	    rebuild_quoted(w, last, c->last), w->start_us, CHUNK_OBJECTS);
	if (rebuild_query(w, sql) != 0 ||
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

void
rebuild_reset_page(struct page *p)
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
int
rebuild_read_page(struct work *w, const struct chunk *c)
{
	char object[2 * 255 + 1], id[2 * 255 + 1], last[2 * 255 + 1];
	struct page *p = &w->page;
	char sql[3072];
	MYSQL_RES *res;
	MYSQL_ROW row;

	rebuild_reset_page(p);
	snprintf(sql, sizeof(sql), "SELECT j.object_id, j.stripe_event_id, "
	    "p.payload FROM event_journal j JOIN event_payloads p ON "
	    "p.created_at = j.created_at AND p.stripe_event_id = "
	    "j.stripe_event_id WHERE j.object_id BETWEEN '%s' AND '%s' AND "
	    "(j.object_id > '%s' OR j.stripe_event_id > '%s') AND "
	    "j.status = 'processed' ORDER BY j.object_id, j.stripe_event_id "
	    "LIMIT %d", rebuild_quoted(w, object, p->object),
	    rebuild_quoted(w, last, c->last),
	    object, rebuild_quoted(w, id, p->id), PAGE);
	if (rebuild_query(w, sql) != 0 ||
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
