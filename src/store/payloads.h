/*
 * The bodies of new events, byte for byte. Where the database is far away they
 * go with the COMMIT, which is one round trip less; they are text then, which
 * costs the server more than a prepared statement.
 */
#ifndef STORE_PAYLOADS_H
#define STORE_PAYLOADS_H

#include <mysql.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"

struct distance;
struct entry;
struct err;
struct payloads;
struct stmt;

/* Their prepared statement, for cap of them. NULL as below. */
struct stmt *payloads_prepare(MYSQL *mysql, size_t cap)
    __attribute__((warn_unused_result));

/*
 * For at most cap events at a time. distance is asked, and told how long a
 * statement took. NULL on error: see mysql_errno(mysql).
 */
struct payloads *payloads_new(MYSQL *mysql, size_t cap,
    struct distance *distance) __attribute__((warn_unused_result));
void payloads_free(struct payloads *p);

/*
 * Writes the payloads of the n entries that have come once, in the order of
 * their arrival, or leaves them to the commit; the entries are borrowed until
 * then.
 */
enum db_class payloads_put(struct payloads *p, struct entry *const *entries,
    const int64_t *deliveries, size_t n, struct err *err)
    __attribute__((warn_unused_result));

/* Writes what was left to the commit: somebody is going to read it. */
enum db_class payloads_write(struct payloads *p, struct err *err)
    __attribute__((warn_unused_result));

/* Commits. If a payload can't be written, nothing is committed. */
enum db_class payloads_commit(struct payloads *p, struct err *err)
    __attribute__((warn_unused_result));

/* Forgets what was left: it has been rolled back. */
void payloads_forget(struct payloads *p);

#endif
