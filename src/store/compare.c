/* Makes and runs the SQL that compares and repairs rows. */
#include "store/compare.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/difference.h"
#include "store/sql.h"
#include "stripe/mapping.h"
#include "stripe/order.h"

#define NOTED_PREFIX "noted_"

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

/*
 * Those that hold a table's rebuilt rows, without its indexes (LIKE would copy
 * them), and what is noted of them.
 */
static int
open_table(MYSQL *mysql, const struct table *t, struct err *err)
{
	struct sql sql;

	sql_begin(&sql, mysql);
	fprintf(sql.out, "CREATE TEMPORARY TABLE " COMPARE_PREFIX "%s (PRIMARY "
	    "KEY (%s%s)) ENGINE=InnoDB SELECT * FROM %s LIMIT 0", t->name,
	    key(t), t->account_key ? ", account, livemode" : "", t->name);
	if (sql_run(&sql, t->name, err) != 0)
		return -1;
	sql_begin(&sql, mysql);
	fprintf(sql.out, "CREATE TEMPORARY TABLE " NOTED_PREFIX "%s (id "
	    "VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin, account "
	    "VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin, livemode "
	    "TINYINT, digest VARBINARY(32), PRIMARY KEY (id, account, "
	    "livemode)) ENGINE=InnoDB", t->name);
	return sql_run(&sql, t->name, err);
}

int
compare_open(MYSQL *mysql, struct err *err)
{
	for (size_t i = 0; i < mapping_ntables; i++)
		if (open_table(mysql, mapping_tables[i], err) != 0)
			return -1;
	return compare_open_links(mysql, err);
}

int
compare_clear(MYSQL *mysql, const struct table *t, struct err *err)
{
	static const char *const prefixes[] = { COMPARE_PREFIX, NOTED_PREFIX };
	struct sql sql;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		sql_begin(&sql, mysql);
		fprintf(sql.out, "TRUNCATE TABLE %s%s", prefixes[i], t->name);
		if (sql_run(&sql, t->name, err) != 0)
			return -1;
	}
	return 0;
}

/* " s ON it is the row of that id", which columns of the other table give. */
static void
put_stored(FILE *out, const struct table *t, const char *other,
    const char *id)
{
	fprintf(out, " LEFT JOIN %s s ON s.%s = %s.%s", t->name, key(t), other,
	    id);
	if (t->account_key)
		fprintf(out, " AND s.account = %s.account AND s.livemode = "
		    "%s.livemode", other, other);
}

/*
 * " FROM rebuilt r LEFT JOIN stored s WHERE they differ and may be compared".
 * Bytes are compared, since a collation may take two texts for one.
 */
static void
put_condition(FILE *out, const struct table *t)
{
	const char *k = key(t);

	fprintf(out, " FROM " COMPARE_PREFIX "%s r", t->name);
	put_stored(out, t, "r", k);
	fprintf(out, " WHERE (s.%s IS NULL OR NOT (", k);
	for (size_t i = 0; i < ncolumns(t); i++)
		fprintf(out, "%sBINARY s.`%s` <=> BINARY r.`%s`",
		    i > 0 ? " AND " : "", column(t, i), column(t, i));
	fprintf(out, ")) AND NOT EXISTS (SELECT 1 FROM redactions x WHERE "
	    "x.stripe_event_id IN (r.source_event_id, s.source_event_id)) "
	    "AND (s.%s IS NULL OR s.order_key <= r.order_key OR EXISTS "
	    "(SELECT 1 FROM event_journal j JOIN event_payloads p ON "
	    "p.created_at = j.created_at AND p.stripe_event_id = "
	    "j.stripe_event_id WHERE j.stripe_event_id = "
	    "s.source_event_id))", k);
	/*
	 * What prices alone know may be of an event whose payload is gone. Of
	 * one second payloads decide, not the ids that these keys end with.
	 */
	if (t->has_price_key)
		fprintf(out, " AND (s.%s IS NULL OR LEFT(s.price_order_key, "
		    "%d) <= LEFT(r.price_order_key, %d))", k,
		    ORDER_PRICE_WIDTH, ORDER_PRICE_WIDTH);
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

/* Where the columns begin in what put_select() asks for. */
enum { AT_ID, AT_MISSING, AT_ACCOUNT, AT_LIVEMODE, AT_DIGEST, AT_COLUMNS };

/* Of each column: is it the same, stored value, computed one. */
static void
put_select(FILE *out, const struct table *t)
{
	fprintf(out, "SELECT r.%s, s.%s IS NULL, r.account, r.livemode, ",
	    key(t), key(t));
	put_digest(out, t);
	for (size_t i = 0; i < ncolumns(t); i++) {
		const char *c = column(t, i);
		const char *hex = is_binary(t, i) ? "HEX" : "";

		fprintf(out, ", BINARY s.`%s` <=> BINARY r.`%s`, %s(s.`%s`), "
		    "%s(r.`%s`)", c, c, hex, c, hex, c);
	}
}

static void
add_found(struct differences *found, const struct table *t, MYSQL_ROW row)
{
	struct difference d = { .table = t->name, .id = row[AT_ID],
	    .missing = strcmp(row[AT_MISSING], "1") == 0 };

	if (d.missing) {
		differences_add(found, &d);
		return;
	}
	for (size_t i = 0; i < ncolumns(t); i++) {
		MYSQL_ROW cell = row + AT_COLUMNS + 3 * i;

		if (strcmp(cell[0], "1") == 0)
			continue;
		d.column = column(t, i);
		d.stored = cell[1];
		d.computed = cell[2];
		differences_add(found, &d);
	}
}

static int
note(MYSQL *mysql, const struct table *t, MYSQL_ROW row, struct err *err)
{
	struct sql sql;

	sql_begin(&sql, mysql);
	fprintf(sql.out, "INSERT INTO " NOTED_PREFIX "%s VALUES (", t->name);
	sql_text(&sql, row[AT_ID]);
	fputs(", ", sql.out);
	sql_text(&sql, row[AT_ACCOUNT]);
	fprintf(sql.out, ", %s, '%s')", row[AT_LIVEMODE], row[AT_DIGEST]);
	return sql_run(&sql, t->name, err);
}

/* The rows are noted one by one: INSERT ... SELECT would lock the journal. */
long
compare_table(MYSQL *mysql, const struct table *t, struct differences *found,
    struct err *err)
{
	struct sql sql;
	MYSQL_RES *res;
	MYSQL_ROW row;
	long n = 0;

	sql_begin(&sql, mysql);
	put_select(sql.out, t);
	put_condition(sql.out, t);
	if ((res = sql_read(&sql, t->name, err)) == NULL)
		return -1;
	while (n >= 0 && (row = mysql_fetch_row(res)) != NULL) {
		add_found(found, t, row);
		n = note(mysql, t, row, err) == 0 ? n + 1 : -1;
	}
	mysql_free_result(res);
	return n;
}

static int
unnote(MYSQL *mysql, const struct table *t, MYSQL_ROW row, struct err *err)
{
	struct sql sql;

	sql_begin(&sql, mysql);
	fprintf(sql.out, "DELETE FROM " NOTED_PREFIX "%s WHERE id = ",
	    t->name);
	sql_text(&sql, row[0]);
	fputs(" AND account = ", sql.out);
	sql_text(&sql, row[1]);
	fprintf(sql.out, " AND livemode = %s", row[2]);
	return sql_run(&sql, t->name, err);
}

long
compare_recheck(MYSQL *mysql, const struct table *t, struct differences *found,
    struct err *err)
{
	struct sql sql;
	MYSQL_RES *res;
	MYSQL_ROW row;
	long n = 0;

	sql_begin(&sql, mysql);
	fprintf(sql.out, "SELECT o.id, o.account, o.livemode FROM "
	    NOTED_PREFIX "%s o", t->name);
	put_stored(sql.out, t, "o", "id");
	fputs(" WHERE o.digest <> ", sql.out);
	put_digest(sql.out, t);
	fputs(" FOR UPDATE", sql.out);
	if ((res = sql_read(&sql, t->name, err)) == NULL)
		return -1;
	while (n >= 0 && (row = mysql_fetch_row(res)) != NULL) {
		differences_drop(found, t->name, row[0]);
		n = unnote(mysql, t, row, err) == 0 ? n + 1 : -1;
	}
	mysql_free_result(res);
	return n;
}

int
compare_repair(MYSQL *mysql, const struct table *t, struct err *err)
{
	struct sql sql;

	sql_begin(&sql, mysql);
	fprintf(sql.out, "INSERT INTO %s (", t->name);
	for (size_t i = 0; i < ncolumns(t); i++)
		fprintf(sql.out, "%s`%s`", i > 0 ? ", " : "", column(t, i));
	fputs(") SELECT ", sql.out);
	for (size_t i = 0; i < ncolumns(t); i++)
		fprintf(sql.out, "%sr.`%s`", i > 0 ? ", " : "", column(t, i));
	fprintf(sql.out, " FROM " COMPARE_PREFIX "%s r JOIN " NOTED_PREFIX
	    "%s o ON o.id = r.%s AND o.account = r.account AND o.livemode = "
	    "r.livemode ON DUPLICATE KEY UPDATE ", t->name, t->name, key(t));
	for (size_t i = 0; i < ncolumns(t); i++)
		fprintf(sql.out, "%s%s.`%s` = VALUES(`%s`)", i > 0 ? ", " :
		    "", t->name, column(t, i), column(t, i));
	return sql_run(&sql, t->name, err);
}
