/* The links between objects that events carry. */
#ifndef STORE_LINKS_H
#define STORE_LINKS_H

#include <mysql.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"

struct entry;
struct err;
struct pipeline;
struct stmt;

/*
 * The statement that adds cap links at a time to the table of that prefix.
 * NULL on error: see mysql_errno().
 */
struct stmt *links_prepare(MYSQL *mysql, const char *prefix, size_t cap)
    __attribute__((warn_unused_result));

/*
 * Sends those of the entries that were delivered for the first time, in one
 * order, so that workers can't deadlock each other.
 */
enum db_class links_send(struct stmt *st, struct pipeline *pipeline,
    struct entry *const *entries, const int64_t *deliveries, size_t n,
    struct err *err)
    __attribute__((warn_unused_result));

#endif
