/* A statement that is put together piece by piece. */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <mysql.h>
#include <stddef.h>
#include <stdio.h>

struct err;

struct sql {
	MYSQL *mysql;		/* borrowed */
	FILE *out;		/* where to write it */
	char *text;
	size_t len;
};

/* Begins a statement; sql_run() or sql_read() must follow. Returns its out. */
FILE *sql_begin(struct sql *sql, MYSQL *mysql);

/* Writes s as a quoted text. */
void sql_text(struct sql *sql, const char *s);

/*
 * Runs the statement and forgets it. Returns 0, or -1 with what (a table, a
 * tool) and the reason in err.
 */
int sql_run(struct sql *sql, const char *what, struct err *err)
    __attribute__((warn_unused_result));

/* The same with a result, which the caller frees; NULL with the reason. */
MYSQL_RES *sql_read(struct sql *sql, const char *what, struct err *err)
    __attribute__((warn_unused_result));

#endif
