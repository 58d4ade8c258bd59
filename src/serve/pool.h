/*
 * The worker processes: started, watched, buried. A child's number is also
 * its slot in the scoreboard; a reload starts a new generation beside the
 * old one, which then retires.
 */
#ifndef SERVE_POOL_H
#define SERVE_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/config.h"
#include "base/metrics.h"
#include "http/listener.h"

/* One row per pool of workers. */
struct pool_info {
	enum pool pool;
	struct listener listener;
};

struct pools {
	const struct config *cfg;	/* that the next fork gets */
	struct pool_info info[POOL__MAX];
	unsigned generation;
	struct child *children;		/* METRICS_SLOTS of them */
	bool stopping;			/* nobody is started any more */
};

void pools_init(struct pools *p);
void pools_free(struct pools *p);

/*
 * Starts a generation of workers after p->cfg. The master gets 0; a child
 * never returns from it.
 */
void pools_start(struct pools *p);

/* Whether every worker of the present generation serves. */
bool pools_ready(const struct pools *p);

/* Sends sig to the workers: all of them, or those of older generations. */
void pools_signal(struct pools *p, int sig);
void pools_retire_old(struct pools *p);

/* Hands the master's log file to all workers, which may open none. */
void pools_change_log(struct pools *p);

/* Buries the dead; call after SIGCHLD. */
void pools_reap(struct pools *p);

/* Restarts who is due, kills who is stuck or overstays. */
void pools_tick(struct pools *p, int64_t now_ms);

/* Workers that still live. */
unsigned pools_alive(const struct pools *p);

#endif
