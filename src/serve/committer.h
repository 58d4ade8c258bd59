/*
 * The second stage of an ingest worker: takes what is queued, writes it in
 * one transaction, and only then answers each delivery.
 */
#ifndef SERVE_COMMITTER_H
#define SERVE_COMMITTER_H

#include <stdbool.h>
#include <stdint.h>

struct committer;
struct queue;
struct worker;

/*
 * Makes the committer and tries the database once, so that a worker that
 * begins to accept knows where it stands.
 */
struct committer *committer_new(const struct worker *w, struct queue *q);
void committer_free(struct committer *c);

/* The thread's body; ends when the queue is closed and empty. */
void *committer_run(void *committer);

/* Whether a delivery can be stored now, as far as is known. */
bool committer_available(const struct committer *c);

/* Called by the acceptor now and then: ends a batch past its deadline. */
void committer_watch(struct committer *c, int64_t now_ms);

#endif
