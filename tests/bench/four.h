/*
 * An event as a plain design stores it: four round trips and a commit of its
 * own.
 */
#ifndef BENCH_FOUR_H
#define BENCH_FOUR_H

#include <stddef.h>

struct event;
struct four;

/* Connects to the database of peers.sql. Ends the process if it can't. */
struct four *four_new(const char *socket, const char *database);

/* Returns 0 once it is committed, else -1. */
int four_store(struct four *f, const struct event *ev, const char *payload,
    size_t len) __attribute__((warn_unused_result));

#endif
