/*
 * A prepared statement whose many rows of parameters travel in one round trip.
 * They are an array (COM_STMT_BULK_EXECUTE), of which the server makes one
 * statement; but on a node of a Galera cluster each row is a statement. There,
 * MariaDB 10.11 goes on with an array whose transaction was aborted by a
 * conflict, in a new transaction and without a word, so that the rows before
 * are lost (measured; not by a deadlock on a server by itself).
 */
#ifndef STORE_STMT_H
#define STORE_STMT_H

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"

struct err;
struct stmt;

/* Answers on their way; Linux lets a unix socket hold 278 of the shortest. */
enum { STMT_UNREAD_MAX = 128 };

/*
 * Prepares sql. kinds has a character per parameter: 's' text, 'b' bytes, 'i'
 * integer. Text that is only stored goes as bytes: the server checks that it
 * is of the column's character set, and need not convert it. cap is the number
 * of rows that fit. returning, unless NULL, is an integer column of which each
 * row tells the value: the statement must give it that by LAST_INSERT_ID(), as
 * which it comes with the answer to a row that is a statement. Returns NULL on
 * error: see mysql_errno(mysql) and mysql_error(mysql). Out of memory ends the
 * process.
 */
struct stmt *stmt_new(MYSQL *mysql, const char *sql, const char *kinds,
    size_t cap, const char *returning) __attribute__((warn_unused_result));
void stmt_free(struct stmt *st);

size_t stmt_cap(const struct stmt *st);

/*
 * Set a parameter of a row; bytes and texts are borrowed until the rows are
 * sent. A text that is NULL is SQL's NULL.
 */
void stmt_bytes(struct stmt *st, size_t row, size_t param, const char *s,
    size_t len);
void stmt_text(struct stmt *st, size_t row, size_t param, const char *s);
void stmt_int(struct stmt *st, size_t row, size_t param, int64_t i);
void stmt_null(struct stmt *st, size_t row, size_t param);

/* Whether each row is a statement, with an answer of its own. */
bool stmt_is_by_row(const struct stmt *st);

/*
 * Runs it with its first n rows, at most STMT_UNREAD_MAX of them where each is
 * a statement. Returns 0, or -1: see stmt_errno().
 */
int stmt_execute(struct stmt *st, size_t n)
    __attribute__((warn_unused_result));

/*
 * Its halves; of an array all rows go at once, so from is 0. Statements of a
 * connection may be sent without reading the answers to those before, which
 * come in the same order; but at most STMT_UNREAD_MAX: the server stops
 * reading when it can't get rid of its answers. returned, unless NULL, gets
 * the column that the statement returns, in the order of the rows. Both return
 * 0, or -1 as above. Lack of memory ends the process.
 */
int stmt_send(struct stmt *st, size_t from, size_t n)
    __attribute__((warn_unused_result));
int stmt_answer(struct stmt *st, int64_t *returned, size_t n)
    __attribute__((warn_unused_result));

unsigned int stmt_errno(const struct stmt *st);
const char *stmt_error(const struct stmt *st);
const char *stmt_sqlstate(const struct stmt *st);

/* What a failed one asks for; what (a table) and its words go to err. */
enum db_class stmt_failed(const struct stmt *st, const char *what,
    struct err *err);

#endif
