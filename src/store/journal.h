/*
 * The event journal: which events came, how often, what became of them, and
 * their bodies byte for byte.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <mysql.h>
#include <stddef.h>

struct entry;
struct stmt;

/* Prepare for cap rows at a time. NULL on error: see mysql_errno(). */
struct stmt *journal_prepare_events(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));
struct stmt *journal_prepare_payloads(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));
struct stmt *journal_prepare_links(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));

/* What became of an event that is applied again, and that it was. */
struct stmt *journal_prepare_outcomes(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));
struct stmt *journal_prepare_attempts(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));

/*
 * The status that an event has after it was applied again with the outcome of
 * the entry; one that was applied once stays so.
 */
const char *journal_status_after(const struct entry *e);

void journal_put_outcome(struct stmt *st, size_t at, const struct entry *e);

/* An attempt, and the one before it: how the event's delivery ended. */
void journal_put_attempt(struct stmt *st, size_t at, const struct entry *e);
void journal_put_delivery(struct stmt *st, size_t at, const struct entry *e);

/*
 * Puts an entry into position at. After the execution of the events'
 * statement each row answers its number of deliveries: 1 is a new event.
 */
void journal_put_event(struct stmt *st, size_t at, const struct entry *e);
void journal_put_payload(struct stmt *st, size_t at, const struct entry *e);

#endif
