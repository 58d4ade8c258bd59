/* Applies migrations and views, and tells which are applied. */
#include "store/migrate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum { LOCK_WAIT = 600 };	/* seconds that another migration may take */

static int
query_failed(MYSQL *mysql, const char *what, struct err *err)
{
	err_add(err, "%s: %s (%u)", what, mysql_error(mysql),
	    mysql_errno(mysql));
	return -1;
}

static int
run(MYSQL *mysql, const char *what, const char *sql, struct err *err)
{
	MYSQL_RES *res;

	if (mysql_query(mysql, sql) != 0)
		return query_failed(mysql, what, err);
	if ((res = mysql_store_result(mysql)) != NULL)
		mysql_free_result(res);
	return 0;
}

/* Skips blank lines and comment lines. */
static const char *
skip_comments(const char *s)
{
	for (;;) {
		s += strspn(s, " \t\n");
		if (strncmp(s, "--", 2) != 0)
			return s;
		s += strcspn(s, "\n");
	}
}

int
migrate_run(MYSQL *mysql, const char *text, const char *name,
    struct err *err)
{
	const char *s = skip_comments(text), *end;

	for (; *s != '\0'; s = skip_comments(end)) {
		end = strstr(s, ";\n");
		end = end != NULL ? end + 2 : s + strlen(s);
		if (mysql_real_query(mysql, s, (unsigned long)(end - s)) != 0) {
			err_add(err, "%s: %.*s: %s (%u)", name,
			    (int)strcspn(s, "\n"), s, mysql_error(mysql),
			    mysql_errno(mysql));
			return -1;
		}
	}
	return 0;
}

/*
 * The recorded checksum of a version, "" if it isn't applied. Returns 0, or
 * -1 with the reason in err.
 */
static int
recorded(MYSQL *mysql, int version, char checksum[65], struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;
	char sql[128];

	checksum[0] = '\0';
	snprintf(sql, sizeof(sql), "SELECT checksum FROM schema_migrations "
	    "WHERE version = %d", version);
	if (mysql_query(mysql, sql) != 0 ||
	    (res = mysql_store_result(mysql)) == NULL)
		return query_failed(mysql, "schema_migrations", err);
	if ((row = mysql_fetch_row(res)) != NULL)
		snprintf(checksum, 65, "%s", row[0]);
	mysql_free_result(res);
	return 0;
}

/* The highest version applied, 0 if none; -1 with the reason in err. */
static int
applied_version(MYSQL *mysql, struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;
	int version = 0;

	if (mysql_query(mysql,
	    "SELECT MAX(version) FROM schema_migrations") != 0 ||
	    (res = mysql_store_result(mysql)) == NULL)
		return query_failed(mysql, "schema_migrations", err);
	if ((row = mysql_fetch_row(res)) != NULL && row[0] != NULL)
		version = (int)strtol(row[0], NULL, 10);
	mysql_free_result(res);
	return version;
}

int
schema_check(MYSQL *mysql, struct err *err)
{
	int ours = sql_files[sql_nfiles - 1].version;
	int theirs = applied_version(mysql, err);

	if (theirs < 0)
		return -1;
	if (theirs == ours)
		return 0;
	err_add(err, "the schema is at version %d, this program needs %d: %s",
	    theirs, ours, theirs < ours ? "run 'stripehookctl migrate'" :
	    "install the newer program");
	return -1;
}

static int
apply(MYSQL *mysql, const struct sql_file *f, FILE *out, struct err *err)
{
	char checksum[65], sql[512];

	/* The first one makes the table that the others are recorded in. */
	if (f->version > 1 || mysql_query(mysql,
	    "SELECT 1 FROM schema_migrations LIMIT 0") == 0) {
		mysql_free_result(mysql_store_result(mysql));
		if (recorded(mysql, f->version, checksum, err) != 0)
			return -1;
		if (strcmp(checksum, f->checksum) == 0)
			return 0;
		if (checksum[0] != '\0') {
			err_add(err, "migration %d %s was applied with other "
			    "contents (checksum %.12s..., ours %.12s...): it "
			    "was edited after a release; restore the file, "
			    "changes belong into a new migration", f->version,
			    f->name, checksum, f->checksum);
			return -1;
		}
	}
	if (migrate_run(mysql, f->text, f->name, err) != 0)
		return -1;
	/* Another host may have come first: its record is as good. */
	snprintf(sql, sizeof(sql), "INSERT INTO schema_migrations (version, "
	    "name, checksum, applied_at) VALUES (%d, '%s', '%s', "
	    "UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE version = version",
	    f->version, f->name, f->checksum);
	if (run(mysql, f->name, sql, err) != 0)
		return -1;
	fprintf(out, "migration %d %s: applied\n", f->version, f->name);
	return 0;
}

static int
refuse_newer(MYSQL *mysql, struct err *err)
{
	int ours = sql_files[sql_nfiles - 1].version, theirs;

	if (mysql_query(mysql, "SELECT 1 FROM schema_migrations LIMIT 0") != 0)
		return 0;
	mysql_free_result(mysql_store_result(mysql));
	theirs = applied_version(mysql, err);
	if (theirs > ours)
		err_add(err, "the schema is at version %d, newer than this "
		    "program's %d: install the newer program", theirs, ours);
	return theirs < 0 || theirs > ours ? -1 : 0;
}

/*
 * Two at once would do no harm, but their lines would puzzle. A Galera
 * cluster has no such locks.
 */
static void
lock(MYSQL *mysql)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT GET_LOCK('stripehook migrate', %d)",
	    LOCK_WAIT);
	if (mysql_query(mysql, sql) == 0)
		mysql_free_result(mysql_store_result(mysql));
}

int
migrate_schema(MYSQL *mysql, const struct config *cfg, FILE *out,
    struct err *err)
{
	char sql[512], name[256];

	mysql_real_escape_string(mysql, name, cfg->db_name,
	    (unsigned long)strnlen(cfg->db_name, 64));
	snprintf(sql, sizeof(sql), "CREATE DATABASE IF NOT EXISTS `%s` "
	    "DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", name);
	/* It may exist, and the right to make one be missing. */
	if (mysql_select_db(mysql, cfg->db_name) != 0 &&
	    (run(mysql, cfg->db_name, sql, err) != 0 ||
	    mysql_select_db(mysql, cfg->db_name) != 0))
		return err->count > 0 ? -1 :
		    query_failed(mysql, cfg->db_name, err);
	lock(mysql);
	if (refuse_newer(mysql, err) != 0)
		return -1;
	for (size_t i = 0; i < sql_nfiles; i++)
		if (apply(mysql, &sql_files[i], out, err) != 0)
			return -1;
	if (migrate_run(mysql, sql_views, "views", err) != 0)
		return -1;
	fprintf(out, "views: up to date\nschema is at version %d\n",
	    sql_files[sql_nfiles - 1].version);
	return 0;
}
