/*
 * Brings the schema up to date. Every statement may be repeated, so that an
 * interruption at any point is mended by running it again.
 */
#include "store/migrate.h"

#include <mysqld_error.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/accounts.h"
#include "store/db.h"
#include "store/tool_lock.h"

enum {
	LOCK_WAIT = 60,		/* seconds for another migration, and for
				   queries that use a table or view */
	TRIES = 5,		/* of a statement that met a conflict */
	SQL_MAX = 1024,		/* bytes of the statements made here */
	TOOL_STATE = 4		/* the migration that makes it */
};

/* A migration that the database has. */
struct applied {
	int version;
	char checksum[65];
};

struct history {
	struct applied *list;	/* by version */
	size_t n;
};

/*
 * Runs one statement while we have the lock (NULL needs none), and drops its
 * result. Returns 0 or -1.
 */
static int
run_locked(MYSQL *mysql, struct tool_lock *lock, const char *sql, size_t len,
    struct err *err)
{
	MYSQL_RES *res;
	int left = TRIES;

	if (tool_lock_held(lock, err) != 0)
		return -1;
	while (mysql_real_query(mysql, sql, len) != 0)
		if (db_class_of(mysql) != DB_RETRY || --left == 0 ||
		    tool_lock_held(lock, err) != 0)
			return -1;
	res = mysql_store_result(mysql);
	mysql_free_result(res);
	return 0;
}

static int
run(MYSQL *mysql, const char *sql, size_t len)
{
	return run_locked(mysql, NULL, sql, len, NULL);
}

static int
failed(MYSQL *mysql, const char *what, struct err *err)
{
	db_says(mysql, what, err);
	return -1;
}

/*
 * Finds the next statement, which ends with ';' at the end of a line that is
 * no comment. Moves *text behind it and adds the lines passed to *line.
 * Returns its start and length, or NULL if only comments are left.
 */
static const char *
next_statement(const char **text, size_t *len, unsigned *line, unsigned *first)
{
	const char *p = *text, *start = NULL;

	while (*p != '\0') {
		size_t n = strcspn(p, "\n");
		bool code = n > 0 && strncmp(p, "--", 2) != 0;

		++*line;
		if (code && start == NULL) {
			start = p;
			*first = *line;
		}
		*text = p + n + (p[n] == '\n');
		if (code && p[n - 1] == ';') {
			*len = (size_t)(p + n - 1 - start);
			return start;
		}
		p = *text;
	}
	*len = start != NULL ? (size_t)(p - start) : 0;
	return start;
}

/* Runs the statements of a text, while we have the lock; NULL needs none. */
static int
run_text(MYSQL *mysql, struct tool_lock *lock, const char *text,
    const char *name, struct err *err)
{
	const char *sql;
	size_t len;
	unsigned line = 0, first = 0;
	char place[160];

	while ((sql = next_statement(&text, &len, &line, &first)) != NULL) {
		if (run_locked(mysql, lock, sql, len, err) != 0) {
			snprintf(place, sizeof(place), "%s, line %u", name,
			    first);
			return failed(mysql, place, err);
		}
	}
	return 0;
}

/* Writes name in backticks, doubling those in it. */
static void
quote_name(char *out, size_t size, const char *name)
{
	size_t n = 0;

	out[n++] = '`';
	for (; *name != '\0' && n + 4 < size; name++) {
		if (*name == '`')
			out[n++] = '`';
		out[n++] = *name;
	}
	out[n++] = '`';
	out[n] = '\0';
}

static int
use_database(MYSQL *mysql, const char *database, FILE *out, struct err *err)
{
	char name[160], sql[SQL_MAX];
	int n;

	if (mysql_select_db(mysql, database) == 0)
		return 0;
	quote_name(name, sizeof(name), database);
	n = snprintf(sql, sizeof(sql), "CREATE DATABASE IF NOT EXISTS %s "
	    "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", name);
	if (run(mysql, sql, (size_t)n) != 0 ||
	    mysql_select_db(mysql, database) != 0) {
		err_add(err, "database %s: %s (%u). The owner's account needs "
		    "ALL PRIVILEGES ON %s.* WITH GRANT OPTION", database,
		    mysql_error(mysql), mysql_errno(mysql), name);
		return -1;
	}
	fprintf(out, "database %s: made\n", database);
	return 0;
}

/* Reads what was applied; a database without the table has nothing. */
static int
history_read(struct history *h, MYSQL *mysql, struct err *err)
{
	static const char table[] = "schema_migrations";
	MYSQL_RES *res;
	MYSQL_ROW row;

	h->list = NULL;
	h->n = 0;
	if (mysql_query(mysql, "SELECT version, checksum "
	    "FROM schema_migrations ORDER BY version") != 0)
		return mysql_errno(mysql) == ER_NO_SUCH_TABLE ? 0 :
		    failed(mysql, table, err);
	if ((res = mysql_store_result(mysql)) == NULL)
		return failed(mysql, table, err);
	while ((row = mysql_fetch_row(res)) != NULL) {
		h->list = mem_reallocarray(h->list, h->n + 1,
		    sizeof(*h->list));
		h->list[h->n].version = atoi(row[0]);
		snprintf(h->list[h->n].checksum,
		    sizeof(h->list[h->n].checksum), "%s", row[1]);
		h->n++;
	}
	mysql_free_result(res);
	return 0;
}

static const struct applied *
history_find(const struct history *h, int version)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->list[i].version == version)
			return &h->list[i];
	return NULL;
}

/* The version, if it is one that this program does not know; else 0. */
static int
history_newer(const struct history *h)
{
	int newest = h->n > 0 ? h->list[h->n - 1].version : 0;

	return newest > sql_files[sql_nfiles - 1].version ? newest : 0;
}

/* Whether of what this program knows nothing was applied as another text. */
static int
history_verify(const struct history *h, struct err *err)
{
	const struct applied *a;

	for (size_t i = 0; i < sql_nfiles; i++) {
		a = history_find(h, sql_files[i].version);
		if (a == NULL ||
		    strcmp(a->checksum, sql_files[i].checksum) == 0)
			continue;
		err_add(err, "migration %d %s was applied with another text "
		    "(checksum %.12s..., this program has %.12s...): a "
		    "migration must not be edited once applied; the change "
		    "belongs into a new one", sql_files[i].version, sql_files[i].name,
		    a->checksum, sql_files[i].checksum);
		return -1;
	}
	return 0;
}

static void
describe(char *what, size_t size, const struct sql_file *file)
{
	snprintf(what, size, "migration %d %s", file->version, file->name);
}

/*
 * On Galera the lock is in a table, which therefore comes before all others
 * there; its migration has nothing else and may be repeated.
 */
static int
make_room_for_lock(MYSQL *mysql, struct err *err)
{
	static const char there[] = "SELECT 1 FROM tool_state LIMIT 0";
	char what[128];

	if (!db_is_clustered(mysql) || run(mysql, there, strlen(there)) == 0)
		return 0;
	for (size_t i = 0; i < sql_nfiles; i++)
		if (sql_files[i].version == TOOL_STATE) {
			describe(what, sizeof(what), &sql_files[i]);
			return run_text(mysql, NULL, sql_files[i].text, what,
			    err);
		}
	return 0;
}

static int
set_patience(MYSQL *mysql, struct err *err)
{
	char sql[SQL_MAX];

	snprintf(sql, sizeof(sql), "SET SESSION lock_wait_timeout = %d",
	    LOCK_WAIT);
	return run(mysql, sql, strlen(sql)) == 0 ? 0 :
	    failed(mysql, "migrate", err);
}

static int
apply(MYSQL *mysql, struct tool_lock *lock, const struct sql_file *file,
    FILE *out, struct err *err)
{
	char what[128], sql[SQL_MAX];
	int n;

	describe(what, sizeof(what), file);
	if (run_text(mysql, lock, file->text, what, err) != 0)
		return -1;
	/* Another host may have recorded it meanwhile. */
	n = snprintf(sql, sizeof(sql), "INSERT INTO schema_migrations "
	    "(version, name, checksum, applied_at) "
	    "VALUES (%d, '%s', '%s', UTC_TIMESTAMP(6)) "
	    "ON DUPLICATE KEY UPDATE version = VALUES(version)",
	    file->version, file->name, file->checksum);
	if (run(mysql, sql, (size_t)n) != 0)
		return failed(mysql, what, err);
	fprintf(out, "%s: applied\n", what);
	return 0;
}

static int
bring_up(MYSQL *mysql, struct tool_lock *lock, FILE *out, struct err *err)
{
	struct history h = { NULL, 0 };
	int rc = -1;

	if (history_read(&h, mysql, err) != 0 || history_verify(&h, err) != 0)
		goto out;
	if (history_newer(&h) != 0) {
		err_add(err, "the schema is at version %d, this program knows "
		    "%d: run the newer 'stripehookctl migrate'",
		    history_newer(&h), sql_files[sql_nfiles - 1].version);
		goto out;
	}
	for (size_t i = 0; i < sql_nfiles; i++)
		if (history_find(&h, sql_files[i].version) == NULL &&
		    apply(mysql, lock, &sql_files[i], out, err) != 0)
			goto out;
	if (run_text(mysql, lock, sql_views, "views.sql", err) != 0)
		goto out;
	fprintf(out, "views: up to date\nschema is at version %d\n",
	    sql_files[sql_nfiles - 1].version);
	rc = 0;
out:
	free(h.list);
	return rc;
}

/*
 * One at a time: on Galera, views that two nodes make at once stop the whole
 * cluster for good (measured with 10.11).
 */
int
migrate(MYSQL *mysql, const struct config *cfg, FILE *out, struct err *err)
{
	struct tool_lock *lock;
	int rc = -1;

	if (use_database(mysql, cfg->db_name, out, err) != 0 ||
	    set_patience(mysql, err) != 0 ||
	    make_room_for_lock(mysql, err) != 0)
		return -1;
	lock = tool_lock_take(cfg, DB_ROLE_OWNER_IN_HASTE, "migrate",
	    "'stripehookctl migrate'", LOCK_WAIT, out, err);
	if (lock != NULL && bring_up(mysql, lock, out, err) == 0 &&
	    tool_lock_held(lock, err) == 0)
		rc = accounts_apply(mysql, cfg, out, err);
	tool_lock_free(lock);
	return rc;
}

int
schema_check(MYSQL *mysql, struct err *err, struct err *notes)
{
	struct history h = { NULL, 0 };
	int rc = -1;

	if (history_read(&h, mysql, err) == 0 &&
	    history_verify(&h, err) == 0)
		rc = 0;
	for (size_t i = 0; rc == 0 && i < sql_nfiles; i++)
		if (history_find(&h, sql_files[i].version) == NULL) {
			err_add(err, "the schema lacks migration %d %s: run "
			    "'stripehookctl migrate'", sql_files[i].version,
			    sql_files[i].name);
			rc = -1;
		}
	if (rc == 0 && notes != NULL && history_newer(&h) != 0)
		err_add(notes, "version %d; this program, an older one, knows "
		    "%d: fine", history_newer(&h),
		    sql_files[sql_nfiles - 1].version);
	free(h.list);
	return rc;
}
