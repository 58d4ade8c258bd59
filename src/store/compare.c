/* Makes and runs the SQL that compares and repairs rows. */
#include "store/compare.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "stripe/mapping.h"

#define KEPT_PREFIX "kept_"

/* Columns of each object table besides the mapped ones. */
static const char *const common[] = {
	"account", "livemode", "source_event_id", "order_key", "ties",
	"price_order_key"
};

/* Number of columns to compare, and the name of one. */
static size_t
ncolumns(const struct table *t)
{
	size_t extra = sizeof(common) / sizeof(common[0]);

	return t->ncols + (t->has_price_key ? extra : extra - 1);
}

static const char *
column(const struct table *t, size_t i)
{
	return i < t->ncols ? t->cols[i].name : common[i - t->ncols];
}

static bool
is_binary(const struct table *t, size_t i)
{
	return i < t->ncols ? t->cols[i].type == COL_SHA256 :
	    strstr(common[i - t->ncols], "order_key") != NULL;
}

static const char *
key(const struct table *t)
{
	for (size_t i = 0; i < t->ncols; i++)
		if ((t->cols[i].flags & COL_KEY) != 0)
			return t->cols[i].name;
	abort();
}

static int
run(MYSQL *mysql, const char *sql, const char *what, struct err *err)
{
	if (mysql_query(mysql, sql) == 0)
		return 0;
	err_add(err, "%s: %s (%u)", what, mysql_error(mysql),
	    mysql_errno(mysql));
	return -1;
}

int
compare_open(MYSQL *mysql, struct err *err)
{
	char sql[256];

	for (size_t i = 0; i < mapping_ntables; i++) {
		const char *name = mapping_tables[i]->name;

		snprintf(sql, sizeof(sql), "CREATE TEMPORARY TABLE "
		    COMPARE_PREFIX "%s LIKE %s", name, name);
		if (run(mysql, sql, name, err) != 0)
			return -1;
	}
	return 0;
}

int
compare_clear(MYSQL *mysql, const struct table *t, struct err *err)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "DELETE FROM " COMPARE_PREFIX "%s",
	    t->name);
	return run(mysql, sql, t->name, err);
}

/*
 * " FROM rebuilt r LEFT JOIN stored s WHERE they differ and may be compared".
 * Bytes are compared, since a collation may take two texts for one.
 */
static void
put_condition(FILE *out, const struct table *t)
{
	const char *k = key(t);

	fprintf(out, " FROM " COMPARE_PREFIX "%s r LEFT JOIN %s s ON s.%s = "
	    "r.%s%s WHERE (s.%s IS NULL OR NOT (", t->name, t->name, k, k,
	    t->account_key ? " AND s.account = r.account AND "
	    "s.livemode = r.livemode" : "", k);
	for (size_t i = 0; i < ncolumns(t); i++)
		fprintf(out, "%sBINARY s.`%s` <=> BINARY r.`%s`",
		    i > 0 ? " AND " : "", column(t, i), column(t, i));
	fprintf(out, ")) AND NOT EXISTS (SELECT 1 FROM redactions x WHERE "
	    "x.stripe_event_id = r.source_event_id) AND (s.%s IS NULL OR "
	    "s.order_key <= r.order_key OR EXISTS (SELECT 1 FROM "
	    "event_journal j JOIN event_payloads p ON p.created_at = "
	    "j.created_at AND p.stripe_event_id = j.stripe_event_id WHERE "
	    "j.stripe_event_id = s.source_event_id))", k);
	/* What prices alone know may be of an event whose payload is gone. */
	if (t->has_price_key)
		fprintf(out, " AND (s.%s IS NULL OR s.price_order_key <= "
		    "r.price_order_key)", k);
}

static void
put_select(FILE *out, const struct table *t)
{
	fprintf(out, "SELECT r.%s, s.%s IS NULL", key(t), key(t));
	for (size_t i = 0; i < ncolumns(t); i++) {
		const char *c = column(t, i);
		const char *hex = is_binary(t, i) ? "HEX" : "";

		fprintf(out, ", BINARY s.`%s` <=> BINARY r.`%s`, %s(s.`%s`), "
		    "%s(r.`%s`)", c, c, hex, c, hex, c);
	}
}

static char *
finish(FILE *out, char **sql)
{
	if (fclose(out) != 0)
		abort();
	return *sql;
}

static void
report(const struct table *t, MYSQL_ROW row,
    void (*found)(void *arg, const struct difference *d), void *arg)
{
	struct difference d = { .table = t->name, .id = row[0],
	    .missing = strcmp(row[1], "1") == 0 };

	if (d.missing) {
		found(arg, &d);
		return;
	}
	for (size_t i = 0; i < ncolumns(t); i++) {
		if (strcmp(row[2 + 3 * i], "1") == 0)
			continue;
		d.column = column(t, i);
		d.stored = row[3 + 3 * i];
		d.computed = row[4 + 3 * i];
		found(arg, &d);
	}
}

long
compare_table(MYSQL *mysql, const struct table *t,
    void (*found)(void *arg, const struct difference *d), void *arg,
    struct err *err)
{
	char *sql = NULL;
	size_t len;
	FILE *out = open_memstream(&sql, &len);
	MYSQL_RES *res = NULL;
	MYSQL_ROW row;
	long n = -1;

	if (out == NULL)
		abort();
	put_select(out, t);
	put_condition(out, t);
	if (run(mysql, finish(out, &sql), t->name, err) == 0 &&
	    (res = mysql_store_result(mysql)) != NULL)
		for (n = 0; (row = mysql_fetch_row(res)) != NULL; n++)
			report(t, row, found, arg);
	mysql_free_result(res);
	free(sql);
	return n;
}

/* What a stored row holds, in short; of a missing one, too. */
static void
put_digest(FILE *out, const struct table *t)
{
	fputs("MD5(CONCAT_WS(','", out);
	for (size_t i = 0; i < ncolumns(t); i++)
		fprintf(out, ", COALESCE(HEX(BINARY s.`%s`), '-')",
		    column(t, i));
	fputs("))", out);
}

static int
make_kept(MYSQL *mysql, const struct table *t, struct err *err)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "CREATE OR REPLACE TEMPORARY TABLE "
	    KEPT_PREFIX "%s (kept_key VARCHAR(255) CHARACTER SET ascii "
	    "COLLATE ascii_bin, kept_account VARCHAR(255) CHARACTER SET ascii "
	    "COLLATE ascii_bin, kept_livemode TINYINT, kept_digest "
	    "VARBINARY(32))", t->name);
	return run(mysql, sql, t->name, err);
}

static int
keep_row(MYSQL *mysql, const struct table *t, MYSQL_ROW row, struct err *err)
{
	char key_text[2 * 255 + 1], account[2 * 255 + 1], sql[2048];

	mysql_real_escape_string(mysql, key_text, row[0],
	    (unsigned long)strnlen(row[0], 255));
	mysql_real_escape_string(mysql, account, row[1],
	    (unsigned long)strnlen(row[1], 255));
	snprintf(sql, sizeof(sql), "INSERT INTO " KEPT_PREFIX "%s VALUES "
	    "('%s', '%s', %s, '%s')", t->name, key_text, account, row[2],
	    row[3]);
	return run(mysql, sql, t->name, err);
}

int
compare_keep(MYSQL *mysql, const struct table *t, struct err *err)
{
	char *sql = NULL;
	size_t len;
	FILE *out = open_memstream(&sql, &len);
	MYSQL_RES *res = NULL;
	MYSQL_ROW row;
	int rc = -1;

	if (out == NULL)
		abort();
	/* A plain SELECT: CREATE ... SELECT would read past the snapshot. */
	fprintf(out, "SELECT r.%s, r.account, r.livemode, ", key(t));
	put_digest(out, t);
	put_condition(out, t);
	if (run(mysql, finish(out, &sql), t->name, err) == 0 &&
	    (res = mysql_store_result(mysql)) != NULL)
		rc = make_kept(mysql, t, err);
	while (rc == 0 && (row = mysql_fetch_row(res)) != NULL)
		rc = keep_row(mysql, t, row, err);
	mysql_free_result(res);
	free(sql);
	return rc;
}

/* Of the rows that were kept only those that are still as they were. */
static void
put_unchanged(FILE *out, const struct table *t)
{
	fprintf(out, " AND EXISTS (SELECT 1 FROM " KEPT_PREFIX "%s o WHERE "
	    "o.kept_key = r.%s AND o.kept_account = r.account AND "
	    "o.kept_livemode = r.livemode AND o.kept_digest = ", t->name,
	    key(t));
	put_digest(out, t);
	fputs(") FOR UPDATE", out);
}

int
compare_repair(MYSQL *mysql, const struct table *t, bool kept,
    struct err *err)
{
	char *sql = NULL;
	size_t len;
	FILE *out = open_memstream(&sql, &len);
	int rc;

	if (out == NULL)
		abort();
	fprintf(out, "INSERT INTO %s (", t->name);
	for (size_t i = 0; i < ncolumns(t); i++)
		fprintf(out, "%s`%s`", i > 0 ? ", " : "", column(t, i));
	fputs(") SELECT ", out);
	for (size_t i = 0; i < ncolumns(t); i++)
		fprintf(out, "%sr.`%s`", i > 0 ? ", " : "", column(t, i));
	put_condition(out, t);
	if (kept)
		put_unchanged(out, t);
	fputs(" ON DUPLICATE KEY UPDATE ", out);
	/* A row that was missing may have come meanwhile, and be newer. */
	for (size_t i = 0; i < ncolumns(t); i++)
		if (strcmp(column(t, i), "order_key") != 0)
			fprintf(out, "%s.`%s` = IF(VALUES(order_key) >= "
			    "%s.order_key, VALUES(`%s`), %s.`%s`), ", t->name,
			    column(t, i), t->name, column(t, i), t->name,
			    column(t, i));
	fprintf(out, "%s.order_key = GREATEST(%s.order_key, "
	    "VALUES(order_key))", t->name, t->name);
	rc = run(mysql, finish(out, &sql), t->name, err);
	free(sql);
	return rc;
}
