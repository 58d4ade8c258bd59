/* What the log says of a worker that died unasked. */
#ifndef SERVE_OBITUARY_H
#define SERVE_OBITUARY_H

#include <stdint.h>
#include <sys/types.h>

/*
 * One line: how it died (status as of waitpid(2)), what it was doing by its
 * slot of the scoreboard, when the next one starts (wait_ms; -1: none does).
 * If its sandbox killed it, another line says why.
 */
void obituary(unsigned number, pid_t pid, int status, int64_t lived_ms,
    int64_t wait_ms);

#endif
