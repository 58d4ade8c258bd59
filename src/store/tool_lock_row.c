/* A row that says who works, and moves while he lives. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/tool_lock_int.h"

enum { BLIND_MAX = 20 };	/* looks that fail, in a row */

/* What the row says. */
struct sign {
	char holder[128];	/* "": nobody */
	char at[32];		/* when it moved last */
};

/* Reads what the row says now. */
static int
look(struct tool_lock *l, struct sign *sign, struct err *err)
{
	char sql[TOOL_LOCK_SQL];
	MYSQL_RES *res;
	MYSQL_ROW row;

	snprintf(sql, sizeof(sql), "SELECT value, updated_at FROM tool_state "
	    "WHERE name = 'lock.%s'", l->name);
	if (tool_lock_query(l, sql, &res, &row, err) != 0)
		return -1;
	snprintf(sign->holder, sizeof(sign->holder), "%s",
	    row != NULL ? row[0] : "");
	snprintf(sign->at, sizeof(sign->at), "%s", row != NULL ? row[1] : "");
	mysql_free_result(res);
	return 0;
}

/* Puts us into the row, unless it has moved. Returns 1, 0 or -1. */
static int
seize(struct tool_lock *l, const struct sign *seen, struct err *err)
{
	char sql[TOOL_LOCK_SQL];

	if (seen->at[0] == '\0')
		snprintf(sql, sizeof(sql), "INSERT IGNORE INTO tool_state "
		    "(name, value, updated_at) VALUES ('lock.%s', '%s', "
		    "UTC_TIMESTAMP(6))", l->name, l->holder);
	else
		snprintf(sql, sizeof(sql), "UPDATE tool_state SET value = "
		    "'%s', updated_at = UTC_TIMESTAMP(6) WHERE "
		    "name = 'lock.%s' AND value = '%s' AND updated_at = '%s'",
		    l->holder, l->name, seen->holder, seen->at);
	l->ours_ms = clock_ms();
	return tool_lock_change(l, sql, err);
}

/* After a look that failed: whether the next one may bring something. */
static bool
may_look_again(struct tool_lock *l, struct err *err)
{
	enum db_class class = db_class_of(l->mysql);

	if (class == DB_RECONNECT) {
		mysql_close(l->mysql);
		l->mysql = db_connect(l->cfg, l->role, l->cfg->db_name, 0,
		    err);
	} else if (class != DB_RETRY) {
		return false;
	}
	return l->mysql != NULL;
}

/*
 * Seconds are counted by looks, each after a pause: what holds all
 * statements up (DDL, a lost node) holds the holder's signs up, too.
 */
int
lock_row_take(struct tool_lock *l, int wait_s, FILE *out, struct err *err)
{
	struct sign before = { "", "" }, now;
	int still = 0;		/* looks since it moved */
	int moves = 0;		/* that were seen */
	int blind = 0, seen = 0, rc;

	for (int looks = 0; ; looks++) {
		if (look(l, &now, err) != 0) {
			if (++blind > BLIND_MAX || !may_look_again(l, err))
				return -1;
			still = 0;
			sleep(1);
			continue;
		}
		err_reset(err);
		blind = 0;
		if (seen > 0 && strcmp(now.at, before.at) == 0) {
			still++;
		} else {
			still = 0;
			moves += seen > 0;
		}
		if (now.holder[0] == '\0' || still == TOOL_LOCK_DEAD) {
			if ((rc = seize(l, &now, err)) != 0)
				return rc < 0 ? -1 : 0;
		} else if (moves > 0 && looks >= wait_s) {
			tool_lock_busy(l, now.holder, err);
			return -1;
		} else if (seen == 0) {
			fprintf(out, "waiting for another %s (%s)\n",
			    l->others, now.holder);
		}
		before = now;
		seen++;
		sleep(1);
	}
}

int
lock_row_keep(struct tool_lock *l, struct err *err)
{
	char sql[TOOL_LOCK_SQL];

	snprintf(sql, sizeof(sql), "UPDATE tool_state SET updated_at = "
	    "UTC_TIMESTAMP(6) WHERE name = 'lock.%s' AND value = '%s'",
	    l->name, l->holder);
	return tool_lock_change(l, sql, err);
}

void
lock_row_leave(struct tool_lock *l)
{
	struct err err = ERR_INIT;
	char sql[TOOL_LOCK_SQL];

	snprintf(sql, sizeof(sql), "UPDATE tool_state SET value = '', "
	    "updated_at = UTC_TIMESTAMP(6) WHERE name = 'lock.%s' AND "
	    "value = '%s'", l->name, l->holder);
	if (l->mysql != NULL)
		(void)tool_lock_change(l, sql, &err);
}
