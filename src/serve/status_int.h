/* What the parts of a status worker's first thread share. */
#ifndef SERVE_STATUS_INT_H
#define SERVE_STATUS_INT_H

#include <fcgiapp.h>

#include "http/request.h"
#include "serve/news.h"
#include "serve/parked.h"
#include "serve/watcher.h"
#include "serve/worker.h"

enum { TICK_MS = 50 };	/* "pending" is told so long after the question */

struct status {
	const struct worker *worker;
	const struct config *cfg;
	int epoll;
	struct parked_table table;
	struct news_ear *ear;
	struct watcher *watcher;
	bool leaving;			/* nobody may wait any more */
	unsigned streams;		/* ever begun */

	struct watcher_job job;
	bool busy;			/* the watcher has the job */
	int64_t began_ms;		/* when it got it */
	int64_t look_ms;		/* when the next one is due */
	struct parked **asked;		/* whose its lookups are */
	size_t room;			/* of both arrays */
};

/* route_status.c: takes a request for a state in, or refuses it. */
void status_ask(struct status *s, FCGX_Request *r, const struct request *req);

/*
 * status_tell.c: answers p as far as it is time to, which may end it. now_ms
 * as of clock_ms().
 */
void status_tell(struct status *s, struct parked *p, int64_t now_ms);

/* Refuses it, if it was not answered yet, and ends it. */
void status_refuse(struct status *s, struct parked *p, enum outcome out);

/* Ends a wait before its time, so that the client comes back. */
void status_send_off(struct status *s, struct parked *p);

/* The peer is gone. */
void status_abandon(struct status *s, struct parked *p);

/*
 * status_look.c: gives the watcher what wants a look, if it is free and the
 * last look is a moment ago: a look costs the database as much as twenty
 * questions. Many questions don't wait for the moment's end, nor do news after
 * a look at many.
 */
void status_look(struct status *s);

/* Takes the watcher's answers. */
void status_looked(struct status *s);

#endif
