/*
 * Records first and changes then: interrupted in between, the event can be
 * dismissed again.
 */
#include "store/dismiss.h"

#include <stdio.h>
#include <string.h>

#include "store/tooldb.h"

#define OPEN " AND status IN ('failed', 'ignored')"

static int
read_status(struct tooldb *db, const char *id, char status[STATUS_MAX],
    struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	status[0] = '\0';
	fputs("SELECT status FROM event_journal WHERE stripe_event_id = ",
	    tooldb_sql(db));
	tooldb_text(db, id);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	if ((row = mysql_fetch_row(res)) != NULL)
		snprintf(status, STATUS_MAX, "%s", row[0]);
	mysql_free_result(res);
	return 0;
}

static int
record(struct tooldb *db, const char *id, const char *reason,
    const char *actor, struct err *err)
{
	FILE *out = tooldb_sql(db);

	fputs("INSERT IGNORE INTO event_attempts (stripe_event_id, "
	    "attempted_at, status, error, actor) SELECT stripe_event_id, "
	    "created_at, status, error, 'delivery' FROM event_journal WHERE "
	    "stripe_event_id = ", out);
	tooldb_text(db, id);
	fputs(OPEN, out);
	if (tooldb_run(db, err) != 0)
		return -1;
	out = tooldb_sql(db);
	fputs("INSERT INTO event_attempts (stripe_event_id, attempted_at, "
	    "status, error, actor) SELECT stripe_event_id, UTC_TIMESTAMP(6), "
	    "'dismissed', ", out);
	tooldb_text(db, reason);
	fputs(", ", out);
	tooldb_text(db, actor);
	fputs(" FROM event_journal WHERE stripe_event_id = ", out);
	tooldb_text(db, id);
	fputs(OPEN, out);
	return tooldb_run(db, err);
}

int
dismiss_event(struct tooldb *db, const char *id, const char *reason,
    const char *actor, char before[STATUS_MAX], struct err *err)
{
	FILE *out;

	if (read_status(db, id, before, err) != 0)
		return -1;
	if (strcmp(before, "failed") != 0 && strcmp(before, "ignored") != 0)
		return 0;
	if (record(db, id, reason, actor, err) != 0)
		return -1;
	out = tooldb_sql(db);
	fputs("UPDATE event_journal SET status = 'dismissed', error = ", out);
	tooldb_text(db, reason);
	fputs(", processed_at = UTC_TIMESTAMP(6) WHERE stripe_event_id = ",
	    out);
	tooldb_text(db, id);
	fputs(OPEN, out);
	return tooldb_run(db, err);
}
