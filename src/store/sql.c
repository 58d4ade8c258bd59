/* Writes, quotes and runs a statement. */
#include "store/sql.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/db.h"

FILE *
sql_begin(struct sql *sql, MYSQL *mysql)
{
	sql->mysql = mysql;
	sql->out = open_memstream(&sql->text, &sql->len);
	if (sql->out == NULL)
		abort();
	return sql->out;
}

void
sql_text(struct sql *sql, const char *s)
{
	size_t len = strlen(s);
	char *quoted = mem_calloc(2 * len + 1, 1);

	mysql_real_escape_string(sql->mysql, quoted, s, len);
	fprintf(sql->out, "'%s'", quoted);
	free(quoted);
}

int
sql_run(struct sql *sql, const char *what, struct err *err)
{
	int rc;

	if (fclose(sql->out) != 0)
		abort();
	rc = mysql_real_query(sql->mysql, sql->text, sql->len);
	free(sql->text);
	if (rc == 0)
		return 0;
	db_says(sql->mysql, what, err);
	return -1;
}

MYSQL_RES *
sql_read(struct sql *sql, const char *what, struct err *err)
{
	MYSQL_RES *res;

	if (sql_run(sql, what, err) != 0)
		return NULL;
	res = mysql_store_result(sql->mysql);
	if (res == NULL)
		db_says(sql->mysql, what, err);
	return res;
}
