/* One database account: that it exists, its password, its rights. */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include <mysql.h>
#include <stdio.h>

#include "base/config.h"

struct err;
struct rights;

struct account {
	const char *user;
	const char *password;	/* NULL if not set */
	const char *setting;	/* that holds the password */
};

enum account_result {
	ACCOUNT_OK,
	ACCOUNT_REFUSED,	/* the owner may not: the SQL is on dba */
	ACCOUNT_FAILED		/* lines are in err */
};

/*
 * Makes an account that has a password what it should be, over the owner's
 * connection; need are the rights it should have, all in cfg's database. Says
 * on out what it did. Prints on dba the SQL that the owner isn't allowed to
 * run.
 */
enum account_result account_apply(MYSQL *owner, const struct config *cfg,
    const struct account *account, const struct rights *need, FILE *out,
    FILE *dba, struct err *err) __attribute__((warn_unused_result));

/* Prints the SQL that makes it, with a placeholder for the password. */
void account_print(const struct account *account, const struct rights *need,
    FILE *out);

#endif
