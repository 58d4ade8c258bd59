/* What the two ways that rows travel have in common. */
#ifndef STORE_STMT_INT_H
#define STORE_STMT_INT_H

#include <stdbool.h>

#include "store/stmt.h"

/* One parameter's column of values; ints or ptrs, never both. */
struct param {
	int64_t *ints;
	const char **ptrs;
	unsigned long *lens;
	char *indicators;
};

/* Why one failed. */
struct failure {
	unsigned int number;
	char state[SQLSTATE_LENGTH + 1];
	char text[MYSQL_ERRMSG_SIZE];
};

struct stmt {
	MYSQL *mysql;		/* borrowed */
	MYSQL_STMT *handle;
	size_t nparams, cap;
	struct param *params;
	MYSQL_BIND *binds;	/* of the arrays */
	bool by_row;
	MYSQL_BIND *row;	/* of one */
	struct failure failure;	/* of the first row that failed */
};

/* Executes without waiting for the answer. Returns 0 or -1. */
int stmt_execute_only(struct stmt *st);

/* The answer to one execution. Returns 0, or -1 with the handle's error. */
int stmt_read_answer(struct stmt *st);

/* stmt_send() and stmt_answer() where each row is a statement. */
int stmt_rows_send(struct stmt *st, size_t from, size_t n);
int stmt_rows_answer(struct stmt *st, int64_t *returned, size_t n);

#endif
