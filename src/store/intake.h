/*
 * Stores what a tool fetched from Stripe by the code path of a delivery:
 * parsed, mapped, journalled and applied in one transaction, once.
 */
#ifndef STORE_INTAKE_H
#define STORE_INTAKE_H

#include <stddef.h>

#include "base/config.h"
#include "store/batch.h"

struct err;
struct intake;

struct intake_counts {
	size_t stored;		/* new in the journal */
	size_t known;		/* it had them */
	size_t failed;		/* of the new ones: stored as failed */
};

struct intake *intake_new(const struct config *cfg);
void intake_free(struct intake *in);

/*
 * Takes an event's text, which is copied; writes when a batch is full.
 * Returns 0, or -1 with the reason in err.
 */
int intake_add(struct intake *in, const char *body, size_t len,
    enum origin origin, struct err *err) __attribute__((warn_unused_result));

/*
 * Writes what is in hand. Returns 0, or -1 with the reason in err: then what
 * wasn't written is forgotten. Events stored as failed get a line in err too.
 */
int intake_flush(struct intake *in, struct err *err)
    __attribute__((warn_unused_result));

const struct intake_counts *intake_counts(const struct intake *in);

#endif
