/*
 * The tools' own database connection, beside that of the writer: single
 * statements, each its own transaction unless begun otherwise, repeated where
 * that helps; and what tools remember between their runs.
 */
#ifndef STORE_TOOLDB_H
#define STORE_TOOLDB_H

#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/config.h"

struct err;
struct tooldb;

enum { TOOL_STATE_MAX = 1024 };		/* bytes of a value, NUL included */

/* Connects as the ingest account. NULL with the reason in err. */
struct tooldb *tooldb_new(const struct config *cfg, struct err *err)
    __attribute__((warn_unused_result));

/* As the owner, whose statements may take as long as they need. */
struct tooldb *tooldb_new_owner(const struct config *cfg, struct err *err)
    __attribute__((warn_unused_result));
void tooldb_free(struct tooldb *db);

/*
 * Takes a lock (store/tool_lock.h) until the end; statements fail if it is
 * lost. Returns 0, or -1 with the reason in err.
 */
int tooldb_lock(struct tooldb *db, const char *name, const char *others,
    struct err *err) __attribute__((warn_unused_result));

/* Whether the lock is still ours, for other writers. 0, or -1 as above. */
int tooldb_locked(struct tooldb *db, struct err *err)
    __attribute__((warn_unused_result));

/*
 * A statement is written to the stream that tooldb_sql() gives, values by
 * tooldb_text(), and run by tooldb_run() or tooldb_read(). These return 0, or
 * -1 with the reason in err. What tooldb_read() gives the caller frees with
 * mysql_free_result().
 */
FILE *tooldb_sql(struct tooldb *db);
void tooldb_text(struct tooldb *db, const char *s);
void tooldb_bytes(struct tooldb *db, const char *s, size_t len);
int tooldb_run(struct tooldb *db, struct err *err)
    __attribute__((warn_unused_result));
int tooldb_read(struct tooldb *db, MYSQL_RES **res, struct err *err)
    __attribute__((warn_unused_result));

/* Copies the remembered value, "" if none. Returns 0 or -1 as above. */
int tool_state_get(struct tooldb *db, const char *name,
    char value[TOOL_STATE_MAX], struct err *err)
    __attribute__((warn_unused_result));
int tool_state_put(struct tooldb *db, const char *name, const char *value,
    struct err *err) __attribute__((warn_unused_result));

#endif
