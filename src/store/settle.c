/* Reads tied events from the journal, decides, writes the winner's row. */
#include "store/settle.h"

#include <inttypes.h>
#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/stmt.h"
#include "store/upsert.h"
#include "stripe/decide.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

/* An event of the journal, made into rows again. */
struct claim {
	struct event event;
	struct rows rows;
};

struct settler {
	MYSQL *mysql;			/* borrowed */
	const struct strings *user_keys;
	const char *prefix;		/* borrowed */
	struct stmt **decided;		/* one per table, made when needed */
};

struct settler *
settler_new(MYSQL *mysql, const struct strings *user_keys,
    const char *prefix)
{
	struct settler *s = mem_calloc(1, sizeof(*s));

	s->mysql = mysql;
	s->user_keys = user_keys;
	s->prefix = prefix;
	s->decided = mem_calloc(mapping_ntables, sizeof(struct stmt *));
	return s;
}

void
settler_free(struct settler *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < mapping_ntables; i++)
		stmt_free(s->decided[i]);
	free(s->decided);
	free(s);
}

static enum db_class
failed(MYSQL *mysql, struct err *err)
{
	return db_failed(mysql, "settling a tie", err);
}

/* Events of the object in that second, by id; the caller frees the result. */
static MYSQL_RES *
read_events(struct settler *s, const struct event *ev)
{
	char object[2 * 255 + 1], account[2 * 255 + 1], sql[2048];

	mysql_real_escape_string(s->mysql, object, ev->object_id,
	    (unsigned long)strlen(ev->object_id));
	mysql_real_escape_string(s->mysql, account, ev->account,
	    (unsigned long)strlen(ev->account));
	snprintf(sql, sizeof(sql), "SELECT p.payload FROM event_journal j "
	    "JOIN event_payloads p ON p.created_at = j.created_at AND "
	    "p.stripe_event_id = j.stripe_event_id WHERE j.object_id = '%s' "
	    "AND j.created = '1970-01-01' + INTERVAL %" PRId64 " SECOND AND "
	    "j.status = 'processed' AND j.account = '%s' AND j.livemode = %d "
	    "ORDER BY j.stripe_event_id", object, ev->created, account,
	    ev->livemode);
	if (mysql_query(s->mysql, sql) != 0)
		return NULL;
	return mysql_store_result(s->mysql);
}

/* The event's row of that table and key, if its ordering key is the same. */
static const struct row *
claimed_row(const struct claim *c, const struct row *row)
{
	for (size_t i = 0; i < c->rows.n; i++) {
		const struct row *r = &c->rows.row[i];

		if (r->table == row->table &&
		    r->order_key_len == row->order_key_len &&
		    memcmp(r->order_key, row->order_key,
		    row->order_key_len) == 0 &&
		    r->values[0].len == row->values[0].len &&
		    memcmp(r->values[0].s, row->values[0].s,
		    row->values[0].len) == 0)
			return r;
	}
	return NULL;
}

/* Fills claims and tied from the result; returns how many there are. */
static size_t
read_claims(struct settler *s, MYSQL_RES *res, struct obstack *mem,
    const struct row *row, struct claim *claims, struct tied *tied)
{
	const char *why;
	MYSQL_ROW payload;
	size_t n = 0;

	while ((payload = mysql_fetch_row(res)) != NULL) {
		struct claim *c = &claims[n];
		const struct row *mine;

		if (event_parse(&c->event, mem, payload[0],
		    mysql_fetch_lengths(res)[0], &why) != OUT_OK)
			continue;
		if (mapping_apply(&c->rows, mem, &c->event,
		    s->user_keys) != OUT_OK ||
		    (mine = claimed_row(c, row)) == NULL) {
			event_drop_json(&c->event);
			continue;
		}
		tied[n++] = (struct tied){ c->event.id, c->event.object,
		    c->event.previous, mine };
	}
	return n;
}

static enum db_class
write_winner(struct settler *s, const struct row *row, const struct event *ev,
    size_t ties, struct err *err)
{
	const struct table *t = row->table;
	struct stmt **st = &s->decided[t->index];

	if (*st == NULL && (*st = upsert_prepare(s->mysql, t, UPSERT_DECIDED,
	    s->prefix, 1)) == NULL)
		return failed(s->mysql, err);
	upsert_put(*st, 0, row, ev, ties);
	if (stmt_execute(*st, 1) == 0)
		return DB_OK;
	return stmt_failed(*st, t->name, err);
}

/*
 * Marks the object for a reason, or (NULL) closes the mark that an earlier
 * look at fewer events left.
 */
static enum db_class
mark(struct settler *s, const struct row *row, const struct event *ev,
    const char *reason, struct err *err)
{
	char object[2 * 255 + 1], account[2 * 255 + 1], sql[2048];

	mysql_real_escape_string(s->mysql, object, ev->object_id,
	    (unsigned long)strlen(ev->object_id));
	mysql_real_escape_string(s->mysql, account, ev->account,
	    (unsigned long)strlen(ev->account));
	if (s->prefix[0] != '\0')
		return DB_OK;
	if (reason == NULL)
		snprintf(sql, sizeof(sql), "UPDATE reconcile_marks SET open = "
		    "0 WHERE object_id = '%s' AND account = '%s' AND "
		    "livemode = %d AND open", object, account, ev->livemode);
	else
		snprintf(sql, sizeof(sql), "INSERT INTO reconcile_marks "
		    "(object_id, account, livemode, table_name, reason, open, "
		    "marked_at) VALUES ('%s', '%s', %d, '%s', '%s', 1, "
		    "UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE reason = "
		    "VALUES(reason), open = 1, marked_at = "
		    "VALUES(marked_at)", object, account, ev->livemode,
		    row->table->name, reason);
	return mysql_query(s->mysql, sql) == 0 ? DB_OK :
	    failed(s->mysql, err);
}

/* Takes the note off the row's ties, and marks the object. */
static enum db_class
settle_back(struct settler *s, const struct row *row, const struct event *ev,
    struct err *err)
{
	char object[2 * 255 + 1], sql[1024];

	mysql_real_escape_string(s->mysql, object, ev->object_id,
	    (unsigned long)strlen(ev->object_id));
	snprintf(sql, sizeof(sql), "UPDATE `%s%s` SET ties = ties MOD %d "
	    "WHERE `%s` = '%s'", s->prefix, row->table->name, TIES_BACK,
	    row->table->cols[0].name, object);
	if (mysql_query(s->mysql, sql) != 0)
		return failed(s->mysql, err);
	return mark(s, row, ev, "backwards", err);
}

/*
 * Whether the stored row is still decided by this row's ordering key: a later
 * event of the same batch may have replaced it. Returns 1 or 0, -1 on error.
 */
static int
is_current(struct settler *s, const struct row *row, const struct event *ev)
{
	char object[2 * 255 + 1], account[2 * 255 + 1], sql[2048];
	const struct table *t = row->table;
	MYSQL_RES *res;
	MYSQL_ROW stored;
	int n, current = 0;

	mysql_real_escape_string(s->mysql, object, ev->object_id,
	    (unsigned long)strlen(ev->object_id));
	mysql_real_escape_string(s->mysql, account, ev->account,
	    (unsigned long)strlen(ev->account));
	n = snprintf(sql, sizeof(sql), "SELECT order_key FROM `%s%s` WHERE "
	    "`%s` = '%s'", s->prefix, t->name, t->cols[0].name, object);
	if (t->account_key)
		snprintf(sql + n, sizeof(sql) - (size_t)n, " AND account = "
		    "'%s' AND livemode = %d", account, ev->livemode);
	if (mysql_query(s->mysql, sql) != 0 ||
	    (res = mysql_store_result(s->mysql)) == NULL)
		return -1;
	if ((stored = mysql_fetch_row(res)) != NULL)
		current = mysql_fetch_lengths(res)[0] == row->order_key_len &&
		    memcmp(stored[0], row->order_key,
		    row->order_key_len) == 0;
	mysql_free_result(res);
	return current;
}

/* Decides among the events of the row's key. left: it had an older tie. */
static enum db_class
settle_tie(struct settler *s, const struct row *row, const struct event *ev,
    bool left, struct err *err)
{
	int current = is_current(s, row, ev);
	enum db_class class = DB_OK;
	struct claim *claims;
	struct tied *tied;
	struct obstack mem;
	struct decision d;
	MYSQL_RES *res;
	size_t n;

	if (current == 0)
		return DB_OK;
	if (current < 0 || (res = read_events(s, ev)) == NULL)
		return failed(s->mysql, err);
	n = (size_t)mysql_num_rows(res);
	claims = mem_calloc(n, sizeof(*claims));
	tied = mem_calloc(n, sizeof(*tied));
	obstack_init(&mem);
	n = read_claims(s, res, &mem, row, claims, tied);
	mysql_free_result(res);
	if (n > 1 || (n == 1 && left)) {
		d = decide(tied, n);
		class = write_winner(s, tied[d.winner].row,
		    &claims[d.winner].event, n - 1, err);
		if (class == DB_OK)
			class = mark(s, row, ev, d.certain ? NULL : "tie",
			    err);
	}
	for (size_t i = 0; i < n; i++)
		event_drop_json(&claims[i].event);
	obstack_free(&mem, NULL);
	free(claims);
	free(tied);
	return class;
}

enum db_class
settle_row(struct settler *s, const struct row *row, const struct event *ev,
    int64_t ties, struct err *err)
{
	enum db_class class = DB_OK;

	if (ties % TIES_BACK > 0)
		class = settle_tie(s, row, ev, ties % TIES_BACK >= TIES_LEFT,
		    err);
	if (class == DB_OK && ties >= TIES_BACK)
		class = settle_back(s, row, ev, err);
	return class;
}
