/* Finds Connect accounts in the journal and in tool_state. */
#include "store/connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/tooldb.h"

#define PREFIX "account:"
#define GONE "gone"

enum { SLICE = 6 * 3600 };	/* seconds of the journal per statement */

static void
add(struct strings *list, const char *account)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->s[i], account) == 0)
			return;
	list->s = mem_reallocarray(list->s, list->n + 1, sizeof(*list->s));
	list->s[list->n++] = mem_strdup(account);
}

static void
drop(struct strings *list, const char *account)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->s[i], account) == 0) {
			free(list->s[i]);
			list->s[i] = list->s[--list->n];
			return;
		}
}

static int
seen(struct tooldb *db, int64_t from, int64_t until, struct strings *list,
    struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	fprintf(tooldb_sql(db), "SELECT DISTINCT account FROM event_journal "
	    "WHERE created_at >= '1970-01-01' + INTERVAL %" PRId64 " SECOND "
	    "AND created_at < '1970-01-01' + INTERVAL %" PRId64 " SECOND AND "
	    "account <> ''", from, until);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	while ((row = mysql_fetch_row(res)) != NULL)
		add(list, row[0]);
	mysql_free_result(res);
	return 0;
}

static int
remembered(struct tooldb *db, struct strings *list, struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	fputs("SELECT name, value FROM tool_state WHERE name LIKE '" PREFIX
	    "%'", tooldb_sql(db));
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	while ((row = mysql_fetch_row(res)) != NULL) {
		const char *account = row[0] + strlen(PREFIX);

		if (strcmp(row[1], GONE) == 0)
			drop(list, account);
		else
			add(list, account);
	}
	mysql_free_result(res);
	return 0;
}

int
connect_accounts(struct tooldb *db, int64_t from, int64_t until,
    struct strings *list, struct err *err)
{
	for (int64_t at = from; at < until; at += SLICE)
		if (seen(db, at, at + SLICE, list, err) != 0)
			return -1;
	return remembered(db, list, err);
}

void
connect_accounts_clear(struct strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->s[i]);
	free(list->s);
	*list = (struct strings){ NULL, 0 };
}

int
connect_remember(struct tooldb *db, const char *account, bool gone,
    struct err *err)
{
	char name[sizeof(PREFIX) + 255];

	snprintf(name, sizeof(name), PREFIX "%s", account);
	return tool_state_put(db, name, gone ? GONE : "seen", err);
}
