/*
 * Stored rows beside rows made anew from the journal, which stand in
 * temporary tables of the same names with a prefix. Those that differ are
 * noted, in temporary tables too, to be repaired in this transaction or a
 * later one.
 */
#ifndef STORE_COMPARE_H
#define STORE_COMPARE_H

#include <mysql.h>

struct differences;
struct err;
struct table;

#define COMPARE_PREFIX "rebuilt_"

/*
 * Makes the temporary tables; empties those of one table, outside of any
 * transaction, by making them anew: InnoDB keeps what is deleted from temporary
 * tables. These return 0, or -1 with the reason in err.
 */
int compare_open(MYSQL *mysql, struct err *err)
    __attribute__((warn_unused_result));
int compare_clear(MYSQL *mysql, const struct table *table, struct err *err)
    __attribute__((warn_unused_result));

/*
 * The same for links, which are only ever added: found is what lacks, and
 * repaired without a lock.
 */
int compare_open_links(MYSQL *mysql, struct err *err)
    __attribute__((warn_unused_result));
int compare_clear_links(MYSQL *mysql, struct err *err)
    __attribute__((warn_unused_result));
long compare_links(MYSQL *mysql, struct differences *found, struct err *err);
int compare_repair_links(MYSQL *mysql, struct err *err)
    __attribute__((warn_unused_result));

/*
 * Adds each difference of a table to found and notes its row, in a
 * transaction in which journal and rows are of one moment. A stored row whose
 * deciding payload is gone or was redacted is let be. Returns the number of
 * rows that differ, or -1 with the reason in err.
 */
long compare_table(MYSQL *mysql, const struct table *table,
    struct differences *found, struct err *err);

/*
 * Locks the noted rows, in a REPEATABLE READ transaction, so that missing
 * ones can't come either. Those that deliveries have changed since they were
 * noted are neither noted nor found any more. Returns their number, or -1
 * with the reason in err.
 */
long compare_recheck(MYSQL *mysql, const struct table *table,
    struct differences *found, struct err *err);

/*
 * Writes the noted rows, which are locked. Returns 0, or -1 with the reason
 * in err.
 */
int compare_repair(MYSQL *mysql, const struct table *table, struct err *err)
    __attribute__((warn_unused_result));

#endif
