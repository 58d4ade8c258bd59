/*
 * The rows of a batch's new events in the object tables. Tables are written in
 * one fixed order and rows in key order, so that workers can't deadlock each
 * other; what a statement says of ties is settled before the next one.
 */
#ifndef STORE_PLACING_H
#define STORE_PLACING_H

#include <mysql.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"

struct distance;
struct entry;
struct err;
struct payloads;
struct placing;

/*
 * For at most cap rows per statement; user_keys and prefix as for
 * transaction_new(). All that is given is borrowed. payloads are written
 * before somebody reads them to settle a tie; distance is told how long a
 * statement took.
 */
struct placing *placing_new(MYSQL *mysql, size_t cap,
    const struct strings *user_keys, const char *prefix,
    struct payloads *payloads, struct distance *distance);
void placing_free(struct placing *w);

/* Writes the rows of those n entries that have come once and are OUT_OK. */
enum db_class placing_write(struct placing *w, struct entry *const *entries,
    const int64_t *deliveries, size_t n, struct err *err)
    __attribute__((warn_unused_result));

#endif
