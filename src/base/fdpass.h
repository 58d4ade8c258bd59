/* Hands an open file from one process to another. */
#ifndef BASE_FDPASS_H
#define BASE_FDPASS_H

/*
 * Two ends of a channel that takes descriptors one at a time and never waits.
 * Returns 0, or -1 with errno set.
 */
int fdpass_open(int ends[2]) __attribute__((warn_unused_result));

/* Returns 0, or -1 with errno set: EAGAIN if too many wait to be taken. */
int fdpass_send(int end, int fd) __attribute__((warn_unused_result));

/* Takes one, which is the caller's to close; -1 if none waits. */
int fdpass_receive(int end) __attribute__((warn_unused_result));

#endif
