/* Giving an event up, on the record. */
#ifndef STORE_DISMISS_H
#define STORE_DISMISS_H

struct err;
struct tooldb;

enum { STATUS_MAX = 17 };	/* bytes of event_journal.status, NUL included */

/*
 * Makes a failed or ignored event dismissed, the reason its error; what it was
 * before stays among its attempts. Returns 0, or -1 with the reason in err.
 * before is its status till now: another than failed or ignored ("" if there
 * is no such event) says that nothing was done.
 */
int dismiss_event(struct tooldb *db, const char *id, const char *reason,
    const char *actor, char before[STATUS_MAX], struct err *err)
    __attribute__((warn_unused_result));

#endif
