/* The database accounts and their least rights. */
#ifndef STORE_ACCOUNTS_H
#define STORE_ACCOUNTS_H

#include <mysql.h>
#include <stdio.h>

#include "base/config.h"

struct err;

/*
 * Makes the accounts that have a password in the settings, and brings their
 * rights to what they should be, over the owner's connection; running workers
 * never miss a right. A line on out for each. Returns 0, or -1 with the reason
 * in err; what the owner isn't allowed to do is then on out, as SQL.
 */
int accounts_apply(MYSQL *mysql, const struct config *cfg, FILE *out,
    struct err *err) __attribute__((warn_unused_result));

/* Prints the SQL for a DBA; places for passwords are marked. */
void accounts_print(const struct config *cfg, FILE *out);

#endif
