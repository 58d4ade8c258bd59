/*
 * The upsert of one object table, made from its mapping: a row changes only
 * if what comes is newer by its ordering key. Of equal keys the greater event
 * id wins for the moment; each execution answers how many ties a row has, so
 * that they can be settled.
 */
#ifndef STORE_UPSERT_H
#define STORE_UPSERT_H

#include <mysql.h>

struct row;
struct stmt;
struct table;
struct event;

/*
 * What an execution answers for a row: how many ties it has, and, added to
 * that, what else is to be settled.
 */
enum {
	TIES_LEFT = 1000000000,	/* it had some, of an older key */
	TIES_BACK = 2000000000	/* its status went back */
};

enum upsert_mode {
	UPSERT_NEWER,		/* the ordinary one; returns ties */
	UPSERT_DECIDED		/* of equal keys this row is the one */
};

/*
 * The SQL text; the caller frees it. prefix goes before the table's name: ""
 * for the table itself.
 */
char *upsert_sql(const struct table *table, enum upsert_mode mode,
    const char *prefix) __attribute__((warn_unused_result));

/* Prepares it for cap rows at a time. NULL on error: see mysql_errno(). */
struct stmt *upsert_prepare(MYSQL *mysql, const struct table *table,
    enum upsert_mode mode, const char *prefix, size_t cap)
    __attribute__((warn_unused_result));

/*
 * Puts one row's values into position at of the statement. ties is what
 * UPSERT_DECIDED sets; 0 for a row that comes in.
 */
void upsert_put(struct stmt *st, size_t at, const struct row *row,
    const struct event *ev, size_t ties);

#endif
