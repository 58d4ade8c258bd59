/* Runs the tools' statements, and connects again where one was lost. */
#include "store/tooldb.h"

#include <errmsg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/db.h"
#include "store/tool_lock.h"

enum { TRIES_MAX = 6, RETRY_STEP_US = 20000 };

struct tooldb {
	const struct config *cfg;
	enum db_role role;
	MYSQL *mysql;
	struct tool_lock *lock;	/* NULL: none was taken */
	unsigned host;
	FILE *out;		/* the statement being written */
	char *sql;
	size_t len;
};

static struct tooldb *
new_as(const struct config *cfg, enum db_role role, struct err *err)
{
	struct tooldb *db = mem_calloc(1, sizeof(*db));

	db->cfg = cfg;
	db->role = role;
	db->mysql = db_connect(cfg, role, cfg->db_name, 0, err);
	if (db->mysql != NULL)
		return db;
	tooldb_free(db);
	return NULL;
}

struct tooldb *
tooldb_new(const struct config *cfg, struct err *err)
{
	return new_as(cfg, DB_ROLE_INGEST, err);
}

struct tooldb *
tooldb_new_owner(const struct config *cfg, struct err *err)
{
	return new_as(cfg, DB_ROLE_OWNER, err);
}

void
tooldb_free(struct tooldb *db)
{
	if (db == NULL)
		return;
	if (db->out != NULL)
		fclose(db->out);
	free(db->sql);
	tool_lock_free(db->lock);
	if (db->mysql != NULL)
		mysql_close(db->mysql);
	free(db);
}

int
tooldb_lock(struct tooldb *db, const char *name, const char *others,
    struct err *err)
{
	db->lock = tool_lock_take(db->cfg, db->role == DB_ROLE_OWNER ?
	    DB_ROLE_OWNER_IN_HASTE : db->role, name, others, 0, stderr, err);
	return db->lock != NULL ? 0 : -1;
}

int
tooldb_locked(struct tooldb *db, struct err *err)
{
	return tool_lock_held(db->lock, err);
}

FILE *
tooldb_sql(struct tooldb *db)
{
	if (db->out != NULL)
		fclose(db->out);
	free(db->sql);
	db->sql = NULL;
	db->out = open_memstream(&db->sql, &db->len);
	if (db->out == NULL)
		abort();
	return db->out;
}

void
tooldb_bytes(struct tooldb *db, const char *s, size_t len)
{
	char *quoted = mem_calloc(2 * len + 1, 1);

	mysql_real_escape_string(db->mysql, quoted, s, len);
	fprintf(db->out, "'%s'", quoted);
	free(quoted);
}

void
tooldb_text(struct tooldb *db, const char *s)
{
	tooldb_bytes(db, s, strlen(s));
}

/* The connection again, if there is none. */
static int
connected(struct tooldb *db, struct err *err)
{
	if (db->mysql == NULL)
		db->mysql = db_connect(db->cfg, db->role,
		    db->cfg->db_name, ++db->host, err);
	return db->mysql != NULL ? 0 : -1;
}

static int
failed(const struct tooldb *db, struct err *err)
{
	db_says(db->mysql, "database", err);
	return -1;
}

/*
 * Sends the statement until it stands, or fails in a way that repeating won't
 * mend. All statements here may be repeated.
 */
static int
send_sql(struct tooldb *db, struct err *err)
{
	enum db_class class;

	fclose(db->out);
	db->out = NULL;
	for (unsigned tries = 1; ; tries++) {
		if (connected(db, err) != 0 || tooldb_locked(db, err) != 0)
			return -1;
		if (mysql_real_query(db->mysql, db->sql, db->len) == 0)
			return 0;
		class = db_class_of(db->mysql);
		if ((class != DB_RETRY && class != DB_RECONNECT) ||
		    tries == TRIES_MAX)
			return failed(db, err);
		if (class == DB_RECONNECT) {
			mysql_close(db->mysql);
			db->mysql = NULL;
		}
		usleep(tries * RETRY_STEP_US);
	}
}

int
tooldb_run(struct tooldb *db, struct err *err)
{
	return send_sql(db, err);
}

int
tooldb_read(struct tooldb *db, MYSQL_RES **res, struct err *err)
{
	*res = NULL;
	if (send_sql(db, err) != 0)
		return -1;
	*res = mysql_store_result(db->mysql);
	return *res != NULL ? 0 : failed(db, err);
}

int
tool_state_get(struct tooldb *db, const char *name, char value[TOOL_STATE_MAX],
    struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	value[0] = '\0';
	fputs("SELECT value FROM tool_state WHERE name = ", tooldb_sql(db));
	tooldb_text(db, name);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	if ((row = mysql_fetch_row(res)) != NULL)
		snprintf(value, TOOL_STATE_MAX, "%s", row[0]);
	mysql_free_result(res);
	return 0;
}

int
tool_state_put(struct tooldb *db, const char *name, const char *value,
    struct err *err)
{
	FILE *out = tooldb_sql(db);

	fputs("INSERT INTO tool_state (name, value, updated_at) VALUES (",
	    out);
	tooldb_text(db, name);
	fputs(", ", out);
	tooldb_text(db, value);
	fputs(", UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE value = "
	    "VALUES(value), updated_at = VALUES(updated_at)", out);
	return tooldb_run(db, err);
}
