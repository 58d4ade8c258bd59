/* A server's own lock (GET_LOCK), which ends with its connection. */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/tool_lock_int.h"

#define LOCK_NAME "LEFT(CONCAT('stripehook.%s.', DATABASE()), 64)"

/* Whether a query's only value is 1: 1, 0, or -1 with err. */
static int
is_one(struct tool_lock *l, const char *sql, struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;
	int one;

	if (tool_lock_query(l, sql, &res, &row, err) != 0)
		return -1;
	one = row != NULL && row[0] != NULL && strcmp(row[0], "1") == 0;
	mysql_free_result(res);
	return one;
}

int
lock_server_take(struct tool_lock *l, int wait_s, FILE *out, struct err *err)
{
	char sql[TOOL_LOCK_SQL];
	int got = 0;

	for (int s = 0; got == 0 && s <= wait_s; s++) {
		snprintf(sql, sizeof(sql), "SELECT GET_LOCK(" LOCK_NAME
		    ", %d)", l->name, s > 0);
		l->ours_ms = clock_ms();
		got = is_one(l, sql, err);
		if (got == 0 && s == 0 && wait_s > 0)
			fprintf(out, "waiting for another %s\n", l->others);
	}
	if (got == 0)
		tool_lock_busy(l, "", err);
	return got == 1 ? 0 : -1;
}

/* Asking keeps the connection, and so the lock. */
int
lock_server_keep(struct tool_lock *l, struct err *err)
{
	char sql[TOOL_LOCK_SQL];

	snprintf(sql, sizeof(sql), "SELECT IS_USED_LOCK(" LOCK_NAME
	    ") = CONNECTION_ID()", l->name);
	return is_one(l, sql, err);
}
