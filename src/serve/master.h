/*
 * The master: binds, forks, supervises; it never serves a request. One
 * thread, all signals blocked, one sigtimedwait() loop.
 */
#ifndef SERVE_MASTER_H
#define SERVE_MASTER_H

#include <stddef.h>

struct config;

/*
 * Runs until told to stop. cfg was loaded from files, which a reload reads
 * again. Returns the process's exit status.
 */
int master_run(struct config *cfg, const char *const *files, size_t nfiles);

#endif
