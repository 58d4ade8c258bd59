/*
 * The slots of an ingest worker, and their way: free list -> acceptor ->
 * queue -> committer -> free list. A slot holds one delivery from its
 * connection to its answer; their number is fixed.
 */
#ifndef SERVE_QUEUE_H
#define SERVE_QUEUE_H

#include <obstack.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/conn.h"
#include "store/batch.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

struct slot {
	struct conn conn;	/* to whom the answer goes */
	struct obstack mem;	/* all that the delivery needs */
	void *mem_base;		/* what slot_reset() goes back to */
	struct event event;
	struct rows rows;
	struct entry entry;	/* what the committer writes */
	int64_t took_us;	/* until the answer was sent */
	struct slot *next;
};

struct queue;

struct queue *queue_new(size_t n);
void queue_free(struct queue *q);

/* A free slot, waiting for one at most wait_ms; NULL if there is none. */
struct slot *queue_get(struct queue *q, unsigned wait_ms);

/* Empties a slot for the next delivery; its holder keeps it. */
void slot_reset(struct slot *slot);

/* Empties a slot and gives it back. */
void queue_put(struct queue *q, struct slot *slot);

/* Hands a slot to the committers. */
void queue_push(struct queue *q, struct slot *slot);

/*
 * Takes what is queued, oldest first: at most max slots and, after the first,
 * bytes of payload; waits at most wait_ms for one. Returns their number.
 */
size_t queue_take(struct queue *q, struct slot **out, size_t max,
    size_t bytes, unsigned wait_ms);

/* Whether as many are queued. */
bool queue_has(struct queue *q, size_t n);

/* Says whether further committers shall help the first one. */
void queue_call(struct queue *q, bool called);

/* Waits at most wait_ms for being called, or the end; returns if called. */
bool queue_called(struct queue *q, unsigned wait_ms);

/*
 * As queue_take(), for who helps: waits until a batch worth a transaction of
 * its own is queued, or the end.
 */
size_t queue_help(struct queue *q, struct slot **out, size_t max,
    size_t bytes, unsigned wait_ms);

/* No more will be pushed: queue_take() no longer waits. */
void queue_close(struct queue *q);

/* Whether it is closed and empty. */
bool queue_done(struct queue *q);

#endif
