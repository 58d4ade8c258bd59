/*
 * What was tried with an event of the journal, and the status that it has
 * since.
 */
#ifndef STORE_ATTEMPT_H
#define STORE_ATTEMPT_H

#include <mysql.h>
#include <stddef.h>

#include "store/db.h"

struct attempts;
struct entry;
struct err;

/* Statements for cap events at a time. NULL on error: see mysql_errno(). */
struct attempts *attempts_new(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));
void attempts_free(struct attempts *a);

/*
 * Gives the journal's events the status that follows from the entries, records
 * the attempts, and of those that were never tried again how their delivery
 * ended.
 */
enum db_class attempts_write(struct attempts *a, struct entry **entries,
    size_t n, struct err *err) __attribute__((warn_unused_result));

/*
 * The status that an event has after it was applied again with the outcome of
 * the entry; one that was applied once stays processed.
 */
const char *attempt_status(const struct entry *e);

#endif
