/*
 * The status worker's second thread, with the database connection: looks
 * states up while the first one serves. One job at a time.
 */
#ifndef SERVE_WATCHER_H
#define SERVE_WATCHER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/err.h"
#include "store/lookup.h"

struct watcher;

struct watcher_job {
	struct lookup *lookups;		/* answered when it is done */
	size_t n;
	bool ready;			/* also: can deliveries be stored? */

	enum outcome out;		/* of the lookups */
	struct err why_not;		/* empty if they can */
};

/*
 * Starts the thread; first says with which of several hosts to begin. NULL,
 * after a log line, if that fails.
 */
struct watcher *watcher_new(const struct config *cfg, unsigned first)
    __attribute__((warn_unused_result));

/* Lets it finish its job, and ends it. */
void watcher_free(struct watcher *w);

/* Readable when a job is done. */
int watcher_fd(const struct watcher *w);

/* Gives it a job, which it holds until watcher_done() returns it. */
void watcher_start(struct watcher *w, struct watcher_job *job);

/* The job that is done, or NULL. */
struct watcher_job *watcher_done(struct watcher *w);

#endif
