/* Whether the database can do what the daemon will ask of it. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "base/config.h"

struct err;

/*
 * Connects with both accounts, compares the schema's version, prepares every
 * statement. Returns 0, or -1 with what is wrong in err.
 */
int check_database(const struct config *cfg, struct err *err)
    __attribute__((warn_unused_result));

#endif
