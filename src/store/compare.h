/*
 * Stored rows beside rows made anew from the journal, which stand in
 * temporary tables of the same names with a prefix.
 */
#ifndef STORE_COMPARE_H
#define STORE_COMPARE_H

#include <mysql.h>
#include <stdbool.h>

struct err;
struct table;

#define COMPARE_PREFIX "rebuilt_"

/* One column that differs; NULL values are NULL, binary ones hexadecimal. */
struct difference {
	const char *table, *id, *column;
	const char *stored, *computed;
	bool missing;		/* the whole row is: column is NULL */
};

/* Makes the temporary tables, or empties those that hold one chunk. */
int compare_open(MYSQL *mysql, struct err *err)
    __attribute__((warn_unused_result));
int compare_clear(MYSQL *mysql, const struct table *table, struct err *err)
    __attribute__((warn_unused_result));

/*
 * Calls found for each difference of a table, in a transaction in which
 * journal and rows are of one moment. A stored row whose deciding payload is
 * gone or was redacted is let be. Returns the number of rows that differ, or
 * -1 with the reason in err.
 */
long compare_table(MYSQL *mysql, const struct table *table,
    void (*found)(void *arg, const struct difference *d), void *arg,
    struct err *err);

/*
 * Keeps the stored rows that differ as they are now, so that
 * compare_repair() can tell whether a delivery has changed them since.
 */
int compare_keep(MYSQL *mysql, const struct table *table, struct err *err)
    __attribute__((warn_unused_result));

/*
 * Writes the rows that differ; kept: only those that are still as they were
 * when they were kept. Returns 0, or -1 with the reason in err.
 */
int compare_repair(MYSQL *mysql, const struct table *table, bool kept,
    struct err *err) __attribute__((warn_unused_result));

#endif
