/*
 * What tools ask the journal: does it have these events, what is in them. All
 * return 0, or -1 with the reason in err.
 */
#ifndef STORE_JOURNAL_READ_H
#define STORE_JOURNAL_READ_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct tooldb;

enum { JOURNAL_ID_MAX = 256 };	/* bytes of an id, NUL included */

/* Sets lacks[i] for ids that the journal doesn't have. */
int journal_lacks(struct tooldb *db, const char *const *ids, bool *lacks,
    size_t n, struct err *err) __attribute__((warn_unused_result));

/* Sets known[i] for payments of which an event told when they succeeded. */
int payments_known(struct tooldb *db, const char *const *ids, bool *known,
    size_t n, struct err *err) __attribute__((warn_unused_result));

/* The newest event that was delivered in that mode; "" if none. */
int journal_newest_delivery(struct tooldb *db, bool livemode,
    char id[JOURNAL_ID_MAX], struct err *err)
    __attribute__((warn_unused_result));

/* The payload of a journalled event, or NULL; the caller frees it. */
int journal_payload(struct tooldb *db, const char *event_id, char **payload,
    size_t *len, struct err *err) __attribute__((warn_unused_result));

#endif
