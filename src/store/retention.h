/*
 * What becomes of payloads that are old: the walk over them that pruning and
 * redaction share. Where it stands is remembered, so that what was kept isn't
 * looked at each time; once in a while it begins anew, since what decides a
 * row today may not tomorrow.
 *
 * To rebuild: a payload that is gone has no row in event_payloads; one whose
 * members were blanked has a row in redactions, key stripe_event_id, the names
 * and pointers that were blanked in its column paths. A stored row whose
 * source_event_id is either is right and stays as it is, unless an event with
 * a greater ordering key decides. Where such a payload must be applied after
 * all (stripe/redact.h: redact_forget()), what was blanked is missing.
 */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/tooldb.h"

struct err;

/*
 * Takes the lock under which payloads are applied again, pruned or redacted,
 * until tooldb_free(). Returns 0, or -1 with the reason in err.
 */
int retention_lock(struct tooldb *db, struct err *err)
    __attribute__((warn_unused_result));

/* A payload, and what the journal has of its event. */
struct old_payload {
	char id[256];
	int64_t received_us;
	char status[17];	/* "" if the journal doesn't know it */
	char object_id[256], account[256];
	bool livemode;
	size_t size;
};

enum { RETENTION_BATCH_MAX = 10000 };

struct retention {
	struct tooldb *db;		/* borrowed; the owner's */
	const char *name;		/* where tool_state remembers it */
	int64_t before_us;		/* received before */
	size_t batch;
	bool dry_run;			/* remembers nothing */
	bool anew;			/* from the oldest one on */

	struct old_payload *list;	/* the batch in hand */
	size_t n;
	int64_t pass_us;		/* when the walk began anew */
	int64_t after_us;		/* where it stands */
	char after_id[256];
	int64_t begun_ms;		/* when the batch began */
};

/*
 * retention_next() reads a batch; n is 0 at the end. retention_done() notes
 * that it is dealt with, and waits as long as that took, so that deliveries
 * have the database to themselves half of the time. Return 0, or -1 with the
 * reason in err.
 */
int retention_begin(struct retention *r, struct err *err)
    __attribute__((warn_unused_result));
int retention_next(struct retention *r, struct err *err)
    __attribute__((warn_unused_result));
int retention_done(struct retention *r, struct err *err)
    __attribute__((warn_unused_result));
void retention_end(struct retention *r);

/*
 * Copies a payload; the caller frees *payload, which is NULL if it is gone.
 * Returns 0, or -1 with the reason in err.
 */
int retention_payload(struct tooldb *db, const struct old_payload *p,
    char **payload, size_t *len, struct err *err)
    __attribute__((warn_unused_result));

/* Writes "created_at = ... AND stripe_event_id = ..." to the statement. */
void retention_put_key(struct tooldb *db, FILE *out,
    const struct old_payload *p);

#endif
