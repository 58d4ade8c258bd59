/* Sets of database rights, as SHOW GRANTS tells them, one by one. */
#ifndef STORE_RIGHTS_H
#define STORE_RIGHTS_H

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>

struct err;

struct right {
	char *name;		/* "SELECT", or of a column "SELECT (created)";
				   "" for a role */
	char *database;		/* "*" for all of them */
	char *object;		/* table or view, "*" for all; the role */
	char *on;		/* both as SQL; as it was granted, since a whole
				   database is named by a pattern */
};

struct rights {
	struct right *list;
	size_t n;
};

/*
 * Adds a list as in GRANT, on a table or view: "SELECT (a, b), INSERT" are
 * three rights.
 */
void rights_add(struct rights *set, const char *list, const char *database,
    const char *object);

/*
 * Adds what the connection's own account has. Returns 0, or -1 with a line in
 * err.
 */
int rights_read(struct rights *set, MYSQL *mysql, struct err *err)
    __attribute__((warn_unused_result));

bool rights_contain(const struct rights *set, const struct right *right);

/* Empties the set. */
void rights_free(struct rights *set);

#endif
