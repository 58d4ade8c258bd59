/*
 * The rows of a batch's new events in the object tables. Tables are written in
 * one fixed order and rows in key order, so that workers can't deadlock each
 * other; then what the statements said of ties is settled.
 */
#ifndef STORE_PLACING_H
#define STORE_PLACING_H

#include <mysql.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"

struct entry;
struct err;
struct pipeline;
struct placing;

/*
 * For at most cap rows per statement; user_keys and prefix as for
 * transaction_new(). All that is given is borrowed.
 */
struct placing *placing_new(MYSQL *mysql, size_t cap,
    const struct strings *user_keys, const char *prefix);
void placing_free(struct placing *w);

/*
 * Sends the rows of those n entries that have come once and are OUT_OK; the
 * entries are borrowed until their ties are settled.
 */
enum db_class placing_send(struct placing *w, struct pipeline *pipeline,
    struct entry *const *entries, const int64_t *deliveries, size_t n,
    struct err *err) __attribute__((warn_unused_result));

/* Settles their ties, once all answers and all payloads are there. */
enum db_class placing_settle(struct placing *w, struct err *err)
    __attribute__((warn_unused_result));

#endif
