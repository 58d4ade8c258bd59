/*
 * The parts of check: this host and the database (check.c), the sandbox, and
 * Stripe's side.
 */
#ifndef CTL_CHECK_INT_H
#define CTL_CHECK_INT_H

struct config;
struct err;

/* Adds to err what the running workers lack, to info what they have. */
void check_sandbox(const struct config *cfg, struct err *err,
    struct err *info);

enum { CHECK_SKEW_MAX = 5 };	/* seconds between our clock and another */

/*
 * With a key: our clock against Stripe's, and what the endpoint there is
 * subscribed to. Adds to err what is wrong, to info what is worth knowing.
 */
void check_stripe(const struct config *cfg, struct err *err,
    struct err *info);

#endif
