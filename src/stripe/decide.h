/*
 * Which of several events with equal ordering keys is the last: events name
 * their past in data.previous_attributes. Pure, and a function of the set: it
 * doesn't matter in which order the events are given.
 */
#ifndef STRIPE_DECIDE_H
#define STRIPE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;
struct row;

/* More tied events than these are settled by their ids alone. */
enum { TIED_MAX = 64 };

/* One of the tied events; all borrowed. */
struct tied {
	const char *event_id;
	struct json_object *object;	/* data.object */
	struct json_object *previous;	/* data.previous_attributes or NULL */
	const struct row *row;		/* what it makes of the object */
};

struct decision {
	size_t winner;		/* index in what was given */
	bool certain;		/* the payloads say so, or it makes no
				   difference; else the event id decided */
};

/* n is at least 1. */
struct decision decide(const struct tied *tied, size_t n);

/*
 * Whether an object is in the state that previous names as the past: deeply,
 * a missing attribute being null. An empty or absent set matches nothing.
 */
bool decide_follows(struct json_object *previous, struct json_object *object);

#endif
