/* The statements of one transaction, in their one order. */
#include "store/transaction.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/attempt.h"
#include "store/batch.h"
#include "store/journal.h"
#include "store/links.h"
#include "store/payloads.h"
#include "store/pipeline.h"
#include "store/placing.h"
#include "store/stmt.h"

/* Batches that are not guessed about after a guess was wrong. */
enum { WARY = 16 };

struct transaction {
	MYSQL *mysql;		/* borrowed */
	size_t cap;		/* events at a time */
	struct stmt *events, *links;
	struct payloads *payloads;
	struct placing *placing;
	struct attempts *attempts;	/* of replays, made when needed */
	int64_t *deliveries;	/* of the events in hand */
	int64_t *once;		/* the same, if all are new */
	struct pipeline pipeline;
	unsigned wary;		/* batches still to go */
	int64_t commit_ms;
};

struct transaction *
transaction_new(MYSQL *mysql, size_t cap, const struct strings *user_keys,
    const char *prefix)
{
	struct transaction *tx = mem_calloc(1, sizeof(*tx));

	tx->mysql = mysql;
	tx->cap = cap;
	tx->deliveries = mem_calloc(cap, sizeof(*tx->deliveries));
	tx->once = mem_calloc(cap, sizeof(*tx->once));
	for (size_t i = 0; i < cap; i++)
		tx->once[i] = 1;
	if (mysql_autocommit(mysql, 0) == 0 &&
	    (tx->events = journal_prepare_events(mysql, cap)) != NULL &&
	    (tx->payloads = payloads_new(mysql, cap)) != NULL &&
	    (tx->links = links_prepare(mysql, prefix, cap)) != NULL) {
		tx->placing = placing_new(mysql, cap, user_keys, prefix);
		return tx;
	}
	transaction_free(tx);
	return NULL;
}

void
transaction_free(struct transaction *tx)
{
	if (tx == NULL)
		return;
	stmt_free(tx->events);
	stmt_free(tx->links);
	placing_free(tx->placing);
	payloads_free(tx->payloads);
	attempts_free(tx->attempts);
	free(tx->deliveries);
	free(tx->once);
	free(tx);
}

void
transaction_meanwhile(struct transaction *tx, struct meanwhile meanwhile)
{
	tx->pipeline.meanwhile = meanwhile;
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

static enum db_class
send_events(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	for (size_t i = 0; i < n; i++)
		journal_put_event(tx->events, i, e[i]);
	return pipeline_send(&tx->pipeline, tx->events, n, tx->deliveries,
	    "event_journal", err);
}

/* Rows and links of those that have come once. */
static enum db_class
send_rows(struct transaction *tx, struct entry **e, const int64_t *deliveries,
    size_t n, struct err *err)
{
	enum db_class class = placing_send(tx->placing, &tx->pipeline, e,
	    deliveries, n, err);

	if (class == DB_OK)
		class = links_send(tx->links, &tx->pipeline, e, deliveries, n,
		    err);
	return class;
}

static enum db_class
send_new(struct transaction *tx, struct entry **e, const int64_t *deliveries,
    size_t n, struct err *err)
{
	enum db_class class = payloads_send(tx->payloads, &tx->pipeline, e,
	    deliveries, n, err);

	if (class == DB_OK)
		class = send_rows(tx, e, deliveries, n, err);
	return class;
}

static enum db_class
settle(struct transaction *tx, enum db_class class, struct err *err)
{
	return class == DB_OK ? placing_settle(tx->placing, err) : class;
}

static bool
all_new(const struct transaction *tx, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (tx->deliveries[i] != 1)
			return false;
	return true;
}

/* In one round trip, as if all were new; *right tells whether they are. */
static enum db_class
write_guessing(struct transaction *tx, struct entry **e, size_t n, bool *right,
    struct err *err)
{
	enum db_class class = send_events(tx, e, n, err);

	if (class == DB_OK)
		class = send_new(tx, e, tx->once, n, err);
	class = pipeline_answers(&tx->pipeline, class, err);
	*right = class == DB_OK && all_new(tx, n);
	return *right ? settle(tx, class, err) : class;
}

/* In two: first the journal tells which are new. */
static enum db_class
write_knowing(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	enum db_class class = send_events(tx, e, n, err);

	class = pipeline_answers(&tx->pipeline, class, err);
	if (class == DB_OK) {
		class = send_new(tx, e, tx->deliveries, n, err);
		class = pipeline_answers(&tx->pipeline, class, err);
	}
	return settle(tx, class, err);
}

static enum db_class
roll_back(struct transaction *tx, struct err *err)
{
	if (mysql_rollback(tx->mysql) == 0)
		return DB_OK;
	(void)db_failed(tx->mysql, "rollback", err);
	return DB_RECONNECT;
}

/*
 * What a guess could not write may be a duplicate's, whose payload and rows
 * nobody wants.
 */
static enum db_class
write_events(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	const struct err before = *err;
	enum db_class class;
	bool right;

	if (tx->wary > 0) {
		tx->wary--;
		return write_knowing(tx, e, n, err);
	}
	class = write_guessing(tx, e, n, &right, err);
	if (right || class == DB_RETRY || class == DB_RECONNECT)
		return class;
	*err = before;
	tx->wary = WARY;
	if ((class = roll_back(tx, err)) == DB_OK)
		class = write_knowing(tx, e, n, err);
	return class;
}

/* Commits if all went well. */
static enum db_class
end(struct transaction *tx, enum db_class class, struct err *err)
{
	if (class == DB_OK) {
		int64_t start_ms = clock_ms();

		if (mysql_commit(tx->mysql) != 0)
			class = db_failed(tx->mysql, "commit", err);
		tx->commit_ms = clock_ms() - start_ms;
	}
	/* Waits for locks shall not add up again. */
	tx->pipeline.one_by_one = class == DB_RETRY;
	/* A lock wait rolls back the statement alone, so do it for all. */
	if (class != DB_OK && class != DB_RECONNECT &&
	    roll_back(tx, err) != DB_OK)
		class = DB_RECONNECT;
	return class;
}

enum db_class
transaction_try(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	return end(tx, write_events(tx, e, n, err), err);
}

enum db_class
transaction_rows(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	enum db_class class = send_rows(tx, e, tx->once, n, err);

	class = pipeline_answers(&tx->pipeline, class, err);
	return settle(tx, class, err);
}

enum db_class
transaction_replay(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	enum db_class class;

	memcpy(tx->deliveries, tx->once, n * sizeof(*tx->once));
	if (tx->attempts == NULL &&
	    (tx->attempts = attempts_new(tx->mysql, tx->cap)) == NULL)
		return end(tx, db_failed(tx->mysql, "replay", err), err);
	if ((class = attempts_write(tx->attempts, e, n, err)) == DB_OK)
		class = transaction_rows(tx, e, n, err);
	return end(tx, class, err);
}
