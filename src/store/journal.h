/*
 * The event journal: which events came, how often, what became of them, and
 * their bodies byte for byte.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <mysql.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"

struct entry;
struct err;
struct stmt;

/* Prepare for cap rows at a time. NULL on error: see mysql_errno(). */
struct stmt *journal_prepare_events(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));
struct stmt *journal_prepare_payloads(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));

/* The status of an event with this outcome. */
const char *journal_status(enum outcome out);

/*
 * Puts an entry into position at. After the execution of the events'
 * statement each row answers its number of deliveries: 1 is a new event.
 */
void journal_put_event(struct stmt *st, size_t at, const struct entry *e);
void journal_put_payload(struct stmt *st, size_t at, const struct entry *e);

/*
 * Writes the payloads of the n entries that deliveries says are new, and
 * commits: one round trip less, but text, which costs the server more than a
 * prepared statement. If a payload can't be written, nothing is committed.
 * Returns 0, or -1 with the reason in err: see mysql_errno(mysql).
 */
int journal_commit_payloads(MYSQL *mysql, struct entry *const *entries,
    const int64_t *deliveries, size_t n, struct err *err)
    __attribute__((warn_unused_result));

#endif
