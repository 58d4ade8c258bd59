/* The bodies of new events, byte for byte. */
#ifndef STORE_PAYLOADS_H
#define STORE_PAYLOADS_H

#include <mysql.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"

struct entry;
struct err;
struct payloads;
struct pipeline;
struct stmt;

/* Their prepared statement, for cap of them. NULL as below. */
struct stmt *payloads_prepare(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));

/* For at most cap events at a time. NULL on error: see mysql_errno(mysql). */
struct payloads *payloads_new(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));
void payloads_free(struct payloads *p);

/* Sends the payloads of the n entries that have come once. */
enum db_class payloads_send(struct payloads *p, struct pipeline *pipeline,
    struct entry *const *entries, const int64_t *deliveries, size_t n,
    struct err *err) __attribute__((warn_unused_result));

#endif
