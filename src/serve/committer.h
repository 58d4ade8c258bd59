/*
 * The second stage of an ingest worker: takes what is queued, writes it in
 * one transaction, and only then answers each delivery. One committer does as
 * long as commits are quick. Where they take long, by distance or disk, the
 * processor waits, and further ones help with connections of their own.
 */
#ifndef SERVE_COMMITTER_H
#define SERVE_COMMITTER_H

#include <stdbool.h>
#include <stdint.h>

struct committer;
struct queue;
struct worker;

enum { COMMITTERS = 4 };	/* of a worker: the first, and its helpers */

/*
 * Makes the nth committer. The first tries the database once, so that a worker
 * that begins to accept knows where it stands.
 */
struct committer *committer_new(const struct worker *w, struct queue *q,
    unsigned nth);
void committer_free(struct committer *c);

/* Starts its thread. Returns 0, or -1 after a log line. */
int committer_start(struct committer *c) __attribute__((warn_unused_result));

/* Whether its thread has ended, as it does once the queue is done. */
bool committer_ended(struct committer *c);

/* Whether a delivery can be stored now, as far as is known. */
bool committer_available(const struct committer *c);

/* Called by the acceptor now and then: ends a batch past its deadline. */
void committer_watch(struct committer *c, int64_t now_ms);

#endif
