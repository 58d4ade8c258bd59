/* The statements of one transaction, in their one order. */
#include "store/transaction.h"

#include <errmsg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/attempt.h"
#include "store/batch.h"
#include "store/distance.h"
#include "store/journal.h"
#include "store/links.h"
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

/* Bytes of payloads that go with the COMMIT where the database is far away. */
enum { JOINED_BYTES = 128 * 1024 };

/* A row and the event that it comes from. */
struct placed {
	const struct row *row;
	const struct event *event;
};

struct transaction {
	MYSQL *mysql;		/* borrowed */
	size_t cap;		/* events at a time */
	const char *prefix;	/* of the object tables' names; borrowed */
	struct stmt *events, *payloads, *links;
	struct attempts *attempts;	/* of replays, made when needed */
	struct stmt **upserts;	/* one per table, made when needed */
	struct settler *settler;
	int64_t *deliveries;	/* of the events in hand */
	int64_t *ties;		/* of the rows of one statement */
	struct placed *placed;	/* their rows, sorted */
	size_t placed_cap;
	struct entry **owed;	/* those whose payloads are to be written */
	size_t nowed;
	struct distance distance;
	int64_t commit_ms;
};

struct transaction *
transaction_new(MYSQL *mysql, size_t cap, const struct strings *user_keys,
    const char *prefix)
{
	struct transaction *tx = mem_calloc(1, sizeof(*tx));

	tx->mysql = mysql;
	tx->cap = cap;
	tx->upserts = mem_calloc(mapping_ntables, sizeof(struct stmt *));
	tx->deliveries = mem_calloc(cap, sizeof(*tx->deliveries));
	tx->ties = mem_calloc(cap, sizeof(*tx->ties));
	tx->prefix = prefix;
	tx->settler = settler_new(mysql, user_keys, prefix);
	if (mysql_autocommit(mysql, 0) == 0 &&
	    (tx->events = journal_prepare_events(mysql, cap)) != NULL &&
	    (tx->payloads = journal_prepare_payloads(mysql, cap)) != NULL &&
	    (tx->links = links_prepare(mysql, prefix, cap)) != NULL)
		return tx;
	transaction_free(tx);
	return NULL;
}

void
transaction_free(struct transaction *tx)
{
	if (tx == NULL)
		return;
	stmt_free(tx->events);
	stmt_free(tx->payloads);
	stmt_free(tx->links);
	attempts_free(tx->attempts);
	for (size_t i = 0; i < mapping_ntables; i++)
		stmt_free(tx->upserts[i]);
	free(tx->upserts);
	settler_free(tx->settler);
	free(tx->deliveries);
	free(tx->ties);
	free(tx->placed);
	free(tx);
}

int64_t
transaction_deliveries(const struct transaction *tx, size_t i)
{
	return tx->deliveries[i];
}

int64_t
transaction_commit_ms(const struct transaction *tx)
{
	return tx->commit_ms;
}

bool
transaction_is_far(const struct transaction *tx)
{
	return distance_is_far(&tx->distance);
}

static int
execute(struct transaction *tx, struct stmt *st, size_t n)
{
	int64_t start_ms = clock_ms();
	int rc = stmt_execute(st, n);

	distance_note(&tx->distance, clock_ms() - start_ms);
	return rc;
}

static enum db_class
class_of(MYSQL *mysql)
{
	unsigned int number = mysql_errno(mysql);

	return db_classify(number != 0 ? number : CR_SERVER_LOST,
	    mysql_sqlstate(mysql));
}

/* What the failure asks for, with its words in err. */
static enum db_class
failed_mysql(MYSQL *mysql, const char *what, struct err *err)
{
	err_add(err, "%s: %s (%u)", what, mysql_error(mysql),
	    mysql_errno(mysql));
	return class_of(mysql);
}

static enum db_class
write_events(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	for (size_t i = 0; i < n; i++)
		journal_put_event(tx->events, i, e[i]);
	if (execute(tx, tx->events, n) != 0 ||
	    stmt_fetch_ints(tx->events, tx->deliveries, n) != 0)
		return stmt_failed(tx->events, "event_journal", err);
	return DB_OK;
}

/* Writes the payloads that are owed. */
static enum db_class
write_owed(struct transaction *tx, struct err *err)
{
	size_t k = 0;

	for (size_t i = 0; i < tx->nowed; i++)
		if (tx->deliveries[i] == 1)
			journal_put_payload(tx->payloads, k++, tx->owed[i]);
	tx->nowed = 0;
	if (k > 0 && execute(tx, tx->payloads, k) != 0)
		return stmt_failed(tx->payloads, "event_payloads", err);
	return DB_OK;
}

/* Writes the payloads, or leaves them to the COMMIT. */
static enum db_class
write_payloads(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	size_t bytes = 0;

	tx->owed = e;
	tx->nowed = n;
	for (size_t i = 0; i < n; i++)
		if (tx->deliveries[i] == 1)
			bytes += e[i]->payload_len;
	if (transaction_is_far(tx) && bytes > 0 && bytes <= JOINED_BYTES)
		return DB_OK;
	return write_owed(tx, err);
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

/* Gathers the rows of new events, sorted. Returns their number. */
static size_t
gather(struct transaction *tx, struct entry **e, size_t n)
{
	size_t k = 0, total = 0;

	for (size_t i = 0; i < n; i++)
		total += e[i]->rows->n;
	if (total > tx->placed_cap) {
		tx->placed = mem_reallocarray(tx->placed, total,
		    sizeof(*tx->placed));
		tx->placed_cap = total;
	}
	for (size_t i = 0; i < n; i++) {
		if (tx->deliveries[i] != 1 || e[i]->out != OUT_OK)
			continue;
		for (size_t r = 0; r < e[i]->rows->n; r++)
			tx->placed[k++] = (struct placed){
			    &e[i]->rows->row[r], e[i]->event };
	}
	if (k > 1)
		qsort(tx->placed, k, sizeof(*tx->placed),
		    compare_placed);
	return k;
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
 * Settles the ties that a statement reported for the rows it wrote: of each
 * stored row once, for the newest that was written there, since it alone may
 * be what the row is, and by what was reported last.
 */
static enum db_class
settle_ties(struct transaction *tx, const struct placed *rows, size_t n,
    struct err *err)
{
	enum db_class class = DB_OK;
	const struct placed *newest;

	for (size_t i = 0, end; i < n && class == DB_OK; i = end) {
		newest = NULL;
		for (end = i; end < n &&
		    compare_placed(&rows[i], &rows[end]) == 0; end++)
			if (may_tie(&rows[end]) && (newest == NULL ||
			    is_newer(rows[end].row, newest->row)))
				newest = &rows[end];
		/* Which event wins is read off their payloads. */
		if (newest != NULL && tx->ties[end - 1] > 0 &&
		    (class = write_owed(tx, err)) == DB_OK)
			class = settle_row(tx->settler, newest->row,
			    newest->event, tx->ties[end - 1], err);
	}
	return class;
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

/* Writes rows of one table, as many as fit into a statement at a time. */
static enum db_class
write_table(struct transaction *tx, const struct placed *rows, size_t n,
    struct err *err)
{
	const struct table *t = rows[0].row->table;
	struct stmt **st = &tx->upserts[t->index];
	enum db_class class = DB_OK;

	if (*st == NULL && (*st = upsert_prepare(tx->mysql, t, UPSERT_NEWER,
	    tx->prefix, tx->cap)) == NULL)
		return failed_mysql(tx->mysql, t->name, err);
	for (size_t done = 0, k; done < n && class == DB_OK; done += k) {
		k = fitting(&rows[done], n - done, stmt_cap(*st));
		for (size_t i = 0; i < k; i++)
			upsert_put(*st, i, rows[done + i].row,
			    rows[done + i].event, 0);
		if (execute(tx, *st, k) != 0 ||
		    stmt_fetch_ints(*st, tx->ties, k) != 0)
			return stmt_failed(*st, t->name, err);
		class = settle_ties(tx, &rows[done], k, err);
	}
	return class;
}

static enum db_class
write_rows(struct transaction *tx, struct entry **e, size_t n, struct err *err)
{
	size_t total = gather(tx, e, n);
	enum db_class class = DB_OK;

	for (size_t i = 0, k; i < total && class == DB_OK; i += k) {
		k = 1;
		while (i + k < total && tx->placed[i + k].row->table ==
		    tx->placed[i].row->table)
			k++;
		class = write_table(tx, &tx->placed[i], k, err);
	}
	return class;
}

enum db_class
transaction_rows(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	enum db_class class;

	for (size_t i = 0; i < n; i++)
		tx->deliveries[i] = 1;
	if ((class = write_rows(tx, e, n, err)) == DB_OK)
		class = links_write(tx->links, e, tx->deliveries, n, err);
	return class;
}

static enum db_class
commit(struct transaction *tx, struct err *err)
{
	if (tx->nowed > 0)
		return journal_commit_payloads(tx->mysql, tx->owed,
		    tx->deliveries, tx->nowed, err) == 0 ? DB_OK :
		    class_of(tx->mysql);
	return mysql_commit(tx->mysql) == 0 ? DB_OK :
	    failed_mysql(tx->mysql, "commit", err);
}

/* Commits if all went well. */
static enum db_class
end(struct transaction *tx, enum db_class class, struct err *err)
{
	if (class == DB_OK) {
		int64_t start_ms = clock_ms();

		distance_judge(&tx->distance);
		class = commit(tx, err);
		tx->commit_ms = clock_ms() - start_ms;
	}
	tx->nowed = 0;
	if (class == DB_OK)
		return DB_OK;
	/* A lock wait rolls back the statement alone, so do it for all. */
	if (class != DB_RECONNECT && mysql_rollback(tx->mysql) != 0)
		class = DB_RECONNECT;
	return class;
}

enum db_class
transaction_try(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	enum db_class class;

	if ((class = write_events(tx, e, n, err)) == DB_OK &&
	    (class = write_payloads(tx, e, n, err)) == DB_OK &&
	    (class = write_rows(tx, e, n, err)) == DB_OK)
		class = links_write(tx->links, e, tx->deliveries, n, err);
	return end(tx, class, err);
}

enum db_class
transaction_replay(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	enum db_class class;

	for (size_t i = 0; i < n; i++)
		tx->deliveries[i] = 1;
	if (tx->attempts == NULL &&
	    (tx->attempts = attempts_new(tx->mysql, tx->cap)) == NULL)
		return end(tx, failed_mysql(tx->mysql, "replay", err), err);
	if ((class = attempts_write(tx->attempts, e, n, err)) == DB_OK &&
	    (class = write_rows(tx, e, n, err)) == DB_OK)
		class = links_write(tx->links, e, tx->deliveries, n, err);
	return end(tx, class, err);
}
