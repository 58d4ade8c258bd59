/* The statements of one transaction, in their one order. */
#include "store/transaction.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/attempt.h"
#include "store/batch.h"
#include "store/distance.h"
#include "store/journal.h"
#include "store/links.h"
#include "store/payloads.h"
#include "store/placing.h"
#include "store/stmt.h"

struct transaction {
	MYSQL *mysql;		/* borrowed */
	size_t cap;		/* events at a time */
	struct stmt *events, *links;
	struct payloads *payloads;
	struct placing *placing;
	struct attempts *attempts;	/* of replays, made when needed */
	int64_t *deliveries;	/* of the events in hand */
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
	tx->deliveries = mem_calloc(cap, sizeof(*tx->deliveries));
	if (mysql_autocommit(mysql, 0) == 0 &&
	    (tx->events = journal_prepare_events(mysql, cap)) != NULL &&
	    (tx->payloads = payloads_new(mysql, cap, &tx->distance)) != NULL &&
	    (tx->links = links_prepare(mysql, prefix, cap)) != NULL) {
		tx->placing = placing_new(mysql, cap, user_keys, prefix,
		    tx->payloads, &tx->distance);
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

static enum db_class
write_events(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	for (size_t i = 0; i < n; i++)
		journal_put_event(tx->events, i, e[i]);
	if (stmt_execute_noting(tx->events, n, &tx->distance) != 0 ||
	    stmt_fetch_ints(tx->events, tx->deliveries, n) != 0)
		return stmt_failed(tx->events, "event_journal", err);
	return DB_OK;
}

enum db_class
transaction_rows(struct transaction *tx, struct entry **e, size_t n,
    struct err *err)
{
	enum db_class class;

	for (size_t i = 0; i < n; i++)
		tx->deliveries[i] = 1;
	if ((class = placing_write(tx->placing, e, tx->deliveries, n,
	    err)) == DB_OK)
		class = links_write(tx->links, e, tx->deliveries, n, err);
	return class;
}

/* Commits if all went well. */
static enum db_class
end(struct transaction *tx, enum db_class class, struct err *err)
{
	if (class == DB_OK) {
		int64_t start_ms = clock_ms();

		distance_judge(&tx->distance);
		class = payloads_commit(tx->payloads, err);
		tx->commit_ms = clock_ms() - start_ms;
	}
	payloads_forget(tx->payloads);
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
	    (class = payloads_put(tx->payloads, e, tx->deliveries, n,
	    err)) == DB_OK &&
	    (class = placing_write(tx->placing, e, tx->deliveries, n,
	    err)) == DB_OK)
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
		return end(tx, db_failed(tx->mysql, "replay", err), err);
	if ((class = attempts_write(tx->attempts, e, n, err)) == DB_OK &&
	    (class = placing_write(tx->placing, e, tx->deliveries, n,
	    err)) == DB_OK)
		class = links_write(tx->links, e, tx->deliveries, n, err);
	return end(tx, class, err);
}
