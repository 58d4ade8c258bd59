/* The event journal: which events came, how often, what became of them. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <mysql.h>
#include <stddef.h>

#include "base/outcome.h"

struct entry;
struct stmt;

/* Prepares for cap rows at a time. NULL on error: see mysql_errno(). */
struct stmt *journal_prepare_events(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));

/* The status of an event with this outcome. */
const char *journal_status(enum outcome out);

/*
 * Puts an entry into position at. After the execution of the statement each
 * row answers its number of deliveries: 1 is a new event.
 */
void journal_put_event(struct stmt *st, size_t at, const struct entry *e);

#endif
