/*
 * Delivers a plan's events as Stripe does: signed, over several kept-alive
 * connections, again after a 503.
 */
#ifndef CTL_TRIGGER_DELIVER_H
#define CTL_TRIGGER_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan;
struct target;

enum { STATUS_MAX = 600 };

struct deliver_options {
	const char *secret;
	size_t secret_len;
	long stale;		/* seconds that signatures are old */
	long connections;
	double rate;		/* deliveries a second at most; 0: any */
};

struct deliver_result {
	uint64_t deliveries;
	uint64_t answered[STATUS_MAX];	/* by HTTP status */
	uint64_t failed;	/* not answered 2xx in the end */
	uint64_t retries;
	double seconds;
	char refusal[512];	/* of the first that was refused */
	char unreachable[256];	/* why it gave up before the end, or "" */
};

void deliver(struct deliver_result *result, struct plan *plan,
    const struct target *target, const struct deliver_options *opt);

#endif
