/*
 * The way in: connections wait here until their request is whole, so that a
 * peer that is slow, silent or speaks nonsense costs the others nothing.
 * libfcgi reads without a time limit and is no match for hostile records; it
 * gets requests that are complete and well formed, from memory. One per
 * process, used by its acceptor alone.
 */
#ifndef HTTP_GATE_H
#define HTTP_GATE_H

#include <stdbool.h>
#include <stddef.h>

/* Bodies much longer than body_max are cut. Returns 0, or -1 with errno. */
int gate_init(size_t body_max) __attribute__((warn_unused_result));

/* Becomes readable when a connection that waits has news. */
int gate_fd(void);

/*
 * The next connection whose request is whole, among those that wait and at
 * most one new one of listen_fd; or -1 with errno, EAGAIN if there is none. It
 * is the caller's; the request is read from gate_input().
 */
int gate_next(int listen_fd) __attribute__((warn_unused_result));

/* A descriptor, the gate's own, that yields the request; or -1. */
int gate_input(void) __attribute__((warn_unused_result));

/* Says that libfcgi has closed it, as it does when a request is no good. */
void gate_input_lost(void);

/* Ends connections that took too long; whether any still wait. */
bool gate_waits(void);

#endif
