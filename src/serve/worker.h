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
	unsigned number;	/* among all: its slot in the scoreboard */
	unsigned generation;
	const struct config *cfg;
	int fd;			/* the pool's listening socket */
	int channel;		/* on which a new log file comes */
};

/* What a worker does next. */
enum worker_next {
	WORKER_ACCEPT,	/* there may be a connection */
	WORKER_IDLE,	/* nothing came in time */
	WORKER_END	/* told to go, and nobody is left to serve */
};

enum { ACCEPTOR, COMMITTER };	/* index of stage and beat; a status worker's
				   second thread is its watcher */

/*
 * In the child: signals, name, rights (cfg->user, if root), death with its
 * master, which is process master, and the sandbox. Returns 0, or -1 after a
 * log line.
 */
int worker_enter(const struct worker *w, int master)
    __attribute__((warn_unused_result));

/*
 * Waits at most timeout_ms for a connection, for a new one only if listens (or
 * if it is to end); signals are let in here and nowhere else. TERM means to
 * serve who is in the socket's queue (for a few seconds at most) and end; USR2,
 * that others serve on, so to end as soon as no request is half here; USR1,
 * that the master has sent a new log file.
 */
enum worker_next worker_wait(const struct worker *w, int timeout_ms,
    bool listens) __attribute__((warn_unused_result));

/* Shows that a thread is alive, and at what. */
void worker_beat(unsigned thread, enum stage stage);

#endif
