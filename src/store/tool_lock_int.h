/* A lock in hand, and the two ways to have one. */
#ifndef STORE_TOOL_LOCK_INT_H
#define STORE_TOOL_LOCK_INT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/tool_lock.h"

enum { TOOL_LOCK_SQL = 1024 };	/* bytes of a statement */

struct tool_lock {
	const struct config *cfg;
	enum db_role role;
	const char *name, *others;
	char holder[128];	/* who we are; it needs no quoting */
	MYSQL *mysql;
	bool row;		/* on a cluster */

	bool ticking;		/* there is the thread */
	pthread_t thread;
	pthread_mutex_t mutex;	/* of what follows */
	pthread_cond_t wake, seen;
	bool ended, lost;
	int64_t ours_ms;	/* when it was, surely */
};

/* Tells how many rows a statement changed, or -1 with err. */
int tool_lock_change(struct tool_lock *l, const char *sql, struct err *err);

/*
 * The first row of a query, which may be NULL, in *row; the caller frees *res.
 * Returns 0, or -1 with err.
 */
int tool_lock_query(struct tool_lock *l, const char *sql, MYSQL_RES **res,
    MYSQL_ROW *row, struct err *err);

/* In err: another one has it. holder: who, or "". */
void tool_lock_busy(const struct tool_lock *l, const char *holder,
    struct err *err);

/*
 * A server by itself, and a cluster: take waits as tool_lock_take() does, and
 * returns 0, or -1 with err; keep shows a sign of life, and returns 1 if it is
 * still ours, 0 if it isn't, or -1 with err if that can't be known.
 */
int lock_server_take(struct tool_lock *l, int wait_s, FILE *out,
    struct err *err);
int lock_server_keep(struct tool_lock *l, struct err *err);
int lock_row_take(struct tool_lock *l, int wait_s, FILE *out,
    struct err *err);
int lock_row_keep(struct tool_lock *l, struct err *err);

/* So that nobody waits until we are seen to be dead. */
void lock_row_leave(struct tool_lock *l);

#endif
