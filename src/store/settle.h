/*
 * Ties: rows to which several events with equal ordering keys lay claim. The
 * decision is made from the set of these events in the journal, under the
 * row's lock, so that it doesn't depend on who came first.
 */
#ifndef STORE_SETTLE_H
#define STORE_SETTLE_H

#include <mysql.h>
#include <stdint.h>

#include "base/config.h"
#include "store/db.h"

struct err;
struct event;
struct row;
struct settler;

/*
 * Statements for a connection; user_keys as for mapping_apply(). prefix goes
 * before the names of the tables written to; with one no marks are made.
 */
struct settler *settler_new(MYSQL *mysql, const struct strings *user_keys,
    const char *prefix);
void settler_free(struct settler *s);

/*
 * Settles what the upsert of this event's row answered (not 0); the caller's
 * transaction has written to the row, which locks it. Where the payloads can't
 * decide, the event id does, and the object is marked for reconciliation.
 */
enum db_class settle_row(struct settler *s, const struct row *row,
    const struct event *ev, int64_t ties, struct err *err)
    __attribute__((warn_unused_result));

#endif
