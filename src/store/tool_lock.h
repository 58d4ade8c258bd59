/*
 * One tool of a kind at a time, on whatever host. A server frees its lock
 * (GET_LOCK) when the connection ends. The nodes of a Galera cluster don't
 * know each other's: there a row of tool_state, "lock." and the name, says who
 * works, and its updated_at moves every second while he lives. Either is
 * looked after by a thread, over a connection of its own.
 */
#ifndef STORE_TOOL_LOCK_H
#define STORE_TOOL_LOCK_H

#include <stdio.h>

#include "store/db.h"

struct err;
struct tool_lock;

enum { TOOL_LOCK_DEAD = 15 };	/* seconds without a sign of life */

/*
 * Takes the lock in the given role, whose statements must be bound to end soon;
 * on Galera the database must have tool_state. others says who else takes it.
 * One of them that is running is waited for wait_s seconds, and one that died
 * on Galera until it is seen to be dead; out gets a line then. Texts are
 * borrowed. Returns the lock, which the caller frees, or NULL with the reason
 * in err.
 */
struct tool_lock *tool_lock_take(const struct config *cfg, enum db_role role,
    const char *name, const char *others, int wait_s, FILE *out,
    struct err *err) __attribute__((warn_unused_result));

/*
 * Returns 0 while it is ours, or -1 with a line in err: another tool may have
 * taken it from one that could not be seen to be alive. If that isn't known it
 * waits until it is, TOOL_LOCK_DEAD seconds at most. NULL, no lock, can't be
 * lost.
 */
int tool_lock_held(struct tool_lock *lock, struct err *err)
    __attribute__((warn_unused_result));

/* NULL is no lock. */
void tool_lock_free(struct tool_lock *lock);

#endif
