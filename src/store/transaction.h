/*
 * One transaction for many events: journal, payloads, rows, links, commit.
 * Tables are written in one fixed order and rows in key order, so that
 * workers can't deadlock each other.
 */
#ifndef STORE_TRANSACTION_H
#define STORE_TRANSACTION_H

#include <mysql.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"

struct entry;
struct err;
struct transaction;

/*
 * The statements on a connection, for at most cap events at a time. Switches
 * autocommit off. user_keys as for mapping_apply(); prefix goes before the
 * names of the object tables, "" for the tables themselves. NULL on error: see
 * mysql_errno(mysql).
 */
struct transaction *transaction_new(MYSQL *mysql, size_t cap,
    const struct strings *user_keys, const char *prefix)
    __attribute__((warn_unused_result));
void transaction_free(struct transaction *tx);

/*
 * Writes n entries, sorted by event id, once. On DB_OK all is committed and
 * transaction_deliveries() tells how often each event has come; on any other
 * class nothing is (but of DB_RECONNECT, where the outcome is unknown), and a
 * line in err says what failed.
 */
typedef enum db_class transaction_fn(struct transaction *tx,
    struct entry **entries, size_t n, struct err *err);
transaction_fn transaction_try __attribute__((warn_unused_result));

/* The same for events of the journal that are applied again. */
transaction_fn transaction_replay __attribute__((warn_unused_result));

/*
 * Writes the rows and links of n entries whose outcome is OUT_OK, settles
 * their ties, and nothing else: no journal, no commit.
 */
enum db_class transaction_rows(struct transaction *tx, struct entry **entries,
    size_t n, struct err *err) __attribute__((warn_unused_result));

/* See store_meanwhile(). */
void transaction_meanwhile(struct transaction *tx, struct meanwhile meanwhile);

int64_t transaction_deliveries(const struct transaction *tx, size_t i);

/* How long the last COMMIT took, in milliseconds. */
int64_t transaction_commit_ms(const struct transaction *tx);

#endif
