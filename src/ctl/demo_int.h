/*
 * Between the parts of the demo server: its start and loop (demo.c), requests
 * (demo_http.c), what a payment's events are (demo_story.c), their delivery
 * one after the other (demo_play.c), the last events (demo_events.c).
 */
#ifndef CTL_DEMO_INT_H
#define CTL_DEMO_INT_H

#include <curl/curl.h>
#include <fcgiapp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"

enum { DEMO_BODY_MAX = 4096 };

struct deliver_options;
struct err;
struct json_object;
struct obstack;
struct player;
struct sample_events;
struct target;
struct tooldb;

struct demo {
	struct config cfg;
	const char *program;	/* how the commands begin that it shows */
	struct player *player;
	struct tooldb *db;	/* NULL: not connected */
};

/* Answers a request that was accepted. */
void demo_serve(struct demo *d, FCGX_Request *r, struct obstack *mem);

/*
 * Makes the events of a lifecycle into *events, and what the browser is told
 * about them. Returns that, or NULL if there is no such lifecycle.
 */
struct json_object *story_make(struct sample_events *events,
    const char *lifecycle, const struct config *cfg, const char *program)
    __attribute__((warn_unused_result));

/* Never NULL. target must live as long. */
struct player *player_new(const struct target *target)
    __attribute__((warn_unused_result));
void player_free(struct player *p);

/* Takes the events over, and empties *events; false if it has no room. */
bool player_add(struct player *p, struct sample_events *events)
    __attribute__((warn_unused_result));

/* Delivers what is due. Returns the milliseconds until more will be. */
int player_run(struct player *p, const struct deliver_options *sign);

/* Waits so long, or until a delivery or one of fds goes on. */
void player_wait(struct player *p, struct curl_waitfd *fds, unsigned nfds,
    int ms);

/* Why the last delivery that was given up was; "" if none was. */
const char *player_fault(const struct player *p);

/* Milliseconds from an event's delivery to the next one's. */
int player_pause(const struct sample_events *events, size_t i);

/*
 * The last events, newest first, each with the time that its delivery took;
 * NULL with the reason in err.
 */
struct json_object *events_list(struct demo *d, struct err *err)
    __attribute__((warn_unused_result));

#endif
