/*
 * The Connect accounts whose events came: Stripe lists the events of each
 * apart, so tools must know them. tool_state remembers those once seen.
 */
#ifndef STORE_CONNECT_H
#define STORE_CONNECT_H

#include <stdint.h>

#include "base/config.h"

struct err;
struct tooldb;

/*
 * Adds to list those remembered and those of events received from one time to
 * the other (unix seconds). Returns 0, or -1 with the reason in err; the
 * caller clears the list in any case.
 */
int connect_accounts(struct tooldb *db, int64_t from, int64_t until,
    struct strings *list, struct err *err)
    __attribute__((warn_unused_result));
void connect_accounts_clear(struct strings *list);

/* Remembers an account; or that it let us go, so that it isn't asked again. */
int connect_remember(struct tooldb *db, const char *account, bool gone,
    struct err *err) __attribute__((warn_unused_result));

#endif
