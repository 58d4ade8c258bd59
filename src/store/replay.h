/*
 * Events of the journal applied again by today's code, through the transaction
 * of a delivery: idempotent, and each attempt on record. One that was applied
 * once stays processed, whatever comes of it now.
 */
#ifndef STORE_REPLAY_H
#define STORE_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

struct err;
struct filter;
struct replayer;

struct replay_result {
	const char *id, *type;
	const char *before, *after;	/* statuses */
	const char *error;		/* why not, "" if all is well */
	bool tried;			/* there was a payload to try */
	int64_t received_us;
};

struct replay_counts {
	size_t processed;	/* and were not before */
	size_t again;		/* processed before and now */
	size_t ignored;
	size_t failed;		/* that don't work, or no longer do */
	size_t gone;		/* without a payload */
	size_t redacted;	/* processed once, and left so */
	size_t missing;		/* not in the journal */
};

/*
 * Connects. Only one of the tools that apply or remove payloads runs at a
 * time. Returns NULL with the reason in err. actor is who does it, for the
 * record.
 */
struct replayer *replayer_new(const struct config *cfg, const char *actor,
    struct err *err) __attribute__((warn_unused_result));
void replayer_free(struct replayer *r);

/*
 * Replays the events with these ids, or all that a filter finds that were
 * received before now, but no dismissed ones unless it asks for them; said is
 * called for each. Return 0, or -1 with the reason in err: then what was said
 * stands.
 */
typedef void replay_said(void *arg, const struct replay_result *result);
int replay_ids(struct replayer *r, char *const *ids, size_t n,
    replay_said *said, void *arg, struct err *err)
    __attribute__((warn_unused_result));
int replay_filter(struct replayer *r, const struct filter *filter,
    replay_said *said, void *arg, struct err *err)
    __attribute__((warn_unused_result));

const struct replay_counts *replay_counts(const struct replayer *r);

#endif
