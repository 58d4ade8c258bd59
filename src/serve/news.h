/*
 * What changed, told within the host: after its commit an ingest worker puts
 * the ids of the objects concerned into a ring of its own in shared memory and
 * wakes the status workers that hold waiting requests. Only a hint: who misses
 * some finds them by the ordinary look every other second. No locks between
 * processes: a ring is written by its worker alone.
 */
#ifndef SERVE_NEWS_H
#define SERVE_NEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/batch.h"

struct err;

/* Makes the shared memory and the descriptors; before the first fork. */
int news_create(struct err *err) __attribute__((warn_unused_result));

/* What stands for an id in a ring. */
uint64_t news_key(const char *id);

/*
 * In an ingest worker: tells of the entries that were stored. number is that
 * of the worker among all of them, its place in the scoreboard.
 */
void news_tell(unsigned number, struct entry *const *entries, size_t n);

/* A status worker's ear. Two generations of a worker may listen at once. */
struct news_ear;

/* Begins to listen, from now on, as the worker of this index. */
struct news_ear *news_listen(unsigned generation, unsigned index);
void news_ear_free(struct news_ear *ear);

/* Readable when there is news; -1 if there is none to be had. */
int news_fd(const struct news_ear *ear);

/* Says whether anybody waits: only then is this worker woken. */
void news_wanted(struct news_ear *ear, bool wanted);

/*
 * Hands each key that came since the last call to heard(). Returns false if
 * some were lost.
 */
bool news_hear(struct news_ear *ear, void (*heard)(void *arg, uint64_t key),
    void *arg);

#endif
