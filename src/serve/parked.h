/*
 * Status requests on their way: from their coming to their answer, which some
 * wait for. Found by the ids whose news concern them.
 */
#ifndef SERVE_PARKED_H
#define SERVE_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "http/conn.h"
#include "stripe/credential.h"
#include "stripe/state.h"

enum ask {
	ASK_POLL,	/* the present state */
	ASK_WAIT,	/* a long poll: the next one */
	ASK_STREAM,	/* server-sent events: each */
	ASK_READY	/* not a state: whether deliveries can be stored */
};

enum { ETAG_LEN = 16, PARKED_KEYS = 3 };

/* An entry of the index: this request wants news of that key. */
struct parked_key {
	uint64_t key;
	struct parked *owner;		/* NULL: not in use */
	LIST_ENTRY(parked_key) others;
};

struct parked {
	struct conn conn;
	enum ask ask;
	enum object_kind kind;
	char *id;
	struct credential credential;
	char *origin;			/* NULL: none was sent */
	int64_t asked_us;		/* wall clock, for the metric */

	int64_t tick_ms;		/* no "pending" before; as clock_ms() */
	int64_t end_ms;			/* it waits no longer */
	int64_t beat_ms;		/* the next sign of life is due */

	char seen[ETAG_LEN + 1];	/* what the client has, "" if nothing */
	bool conditional;		/* 304 if that is still so */
	bool resumed;			/* a stream that broke off before */
	bool begun;			/* the stream's head is sent */
	bool looking;			/* the watcher has it in hand */
	bool again;			/* news came meanwhile */
	bool gone;			/* to be freed when nobody has it */

	/* The last answer; json is NULL before the first. */
	char *json;
	char etag[ETAG_LEN + 1];
	enum outcome out;
	bool final, pending;

	struct parked_key keys[PARKED_KEYS];
	TAILQ_ENTRY(parked) all, queue, tick;
	bool queued, ticking;
};

TAILQ_HEAD(parked_list, parked);
LIST_HEAD(parked_bucket, parked_key);

struct parked_table {
	struct parked_list all;		/* first who had no look for longest */
	struct parked_list queue;	/* who wants a look */
	struct parked_list ticks;	/* who may be answered at tick_ms, in
					   its order */
	struct parked_bucket *buckets;
	size_t nbuckets;
	size_t n, waiting;		/* all; those that wait for news */
	size_t queued, eager;		/* that want a look; that wait, too */
};

void parked_init(struct parked_table *t, size_t slots);
void parked_free(struct parked_table *t);

/* A new request, in the table alone. */
struct parked *parked_add(struct parked_table *t, enum ask ask);

/*
 * Takes it out and frees it with its connection, at once or, while the watcher
 * has it in hand, when parked_looked() is called.
 */
void parked_remove(struct parked_table *t, struct parked *p);

/* Who is next to be looked at, for the watcher; NULL if nobody wants it. */
struct parked *parked_take(struct parked_table *t);

/* The watcher has given it back. Returns false if that was its end. */
bool parked_looked(struct parked_table *t, struct parked *p);

/* News of id concern it, too. */
void parked_follow(struct parked_table *t, struct parked *p, const char *id);

/* Puts it among those who want a look; once, and again if it is in hand. */
void parked_queue(struct parked_table *t, struct parked *p);

/* The same for n: those who had no look for longest. */
void parked_refresh(struct parked_table *t, size_t n);

/* The same for all that follow the id of this key. */
void parked_news(struct parked_table *t, uint64_t key);

#endif
