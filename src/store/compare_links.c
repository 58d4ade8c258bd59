/* Links beside those made anew from the journal. */
#include "store/compare.h"

#include "store/difference.h"
#include "store/sql.h"

int
compare_open_links(MYSQL *mysql, struct err *err)
{
	struct sql sql;

	fputs("CREATE TEMPORARY TABLE " COMPARE_PREFIX "links (PRIMARY KEY "
	    "(from_id, to_id, kind)) ENGINE=InnoDB SELECT * FROM links LIMIT 0",
	    sql_begin(&sql, mysql));
	return sql_run(&sql, "links", err);
}

int
compare_clear_links(MYSQL *mysql, struct err *err)
{
	struct sql sql;

	fputs("TRUNCATE TABLE " COMPARE_PREFIX "links",
	    sql_begin(&sql, mysql));
	return sql_run(&sql, "links", err);
}

long
compare_links(MYSQL *mysql, struct differences *found, struct err *err)
{
	struct difference d = { .table = "links", .missing = true };
	struct sql sql;
	MYSQL_RES *res;
	MYSQL_ROW row;
	long n;

	fputs("SELECT CONCAT_WS(' ', r.from_id, r.to_id, r.kind) FROM "
	    COMPARE_PREFIX "links r LEFT JOIN links s ON s.from_id = r.from_id "
	    "AND s.to_id = r.to_id AND s.kind = r.kind WHERE s.from_id IS NULL",
	    sql_begin(&sql, mysql));
	if ((res = sql_read(&sql, "links", err)) == NULL)
		return -1;
	for (n = 0; (row = mysql_fetch_row(res)) != NULL; n++) {
		d.id = row[0];
		differences_add(found, &d);
	}
	mysql_free_result(res);
	return n;
}

int
compare_repair_links(MYSQL *mysql, struct err *err)
{
	struct sql sql;

	fputs("INSERT INTO links (from_id, to_id, kind) SELECT from_id, to_id, "
	    "kind FROM " COMPARE_PREFIX "links ON DUPLICATE KEY UPDATE kind = "
	    "VALUES(kind)", sql_begin(&sql, mysql));
	return sql_run(&sql, "links", err);
}
