/* The ingest worker: acceptor here, committer beside it. */
#ifndef SERVE_INGEST_H
#define SERVE_INGEST_H

struct worker;

/* Serves until told to end; returns the process's exit status. */
int ingest_run(const struct worker *w);

#endif
