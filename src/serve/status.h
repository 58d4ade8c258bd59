/* The status worker: reads, with an account that can do nothing else. */
#ifndef SERVE_STATUS_H
#define SERVE_STATUS_H

struct worker;

/* Serves until told to end; returns the process's exit status. */
int status_run(const struct worker *w);

#endif
