/*
 * What every worker process does alike: leave the master's ways behind, wait
 * for connections and signals without losing either, show signs of life.
 */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include <stdbool.h>

#include "base/config.h"
#include "base/metrics.h"

struct worker {
	enum pool pool;
	unsigned index;		/* among the workers of its pool */
	const struct config *cfg;
	int fd;			/* the pool's listening socket */
};

/* How far the worker is on its way to the exit. */
enum worker_state {
	WORKER_RUN,
	WORKER_DRAIN,	/* TERM: serve who is in the socket's queue, end */
	WORKER_RETIRE	/* USR2: others serve on; finish what is in hand */
};

enum { ACCEPTOR, COMMITTER };	/* index of stage and beat */

/*
 * In the child: signals, name, rights (cfg->user, if root), death with its
 * master, which is process master. Returns 0, or -1 after a log line.
 */
int worker_enter(const struct worker *w, int master)
    __attribute__((warn_unused_result));

/*
 * Waits at most timeout_ms for a connection; signals are let in here and
 * nowhere else. Returns whether there may be one.
 */
bool worker_wait(const struct worker *w, int timeout_ms);

enum worker_state worker_state(void);

/* Shows that a thread is alive, and at what. */
void worker_beat(unsigned thread, enum stage stage);

#endif
