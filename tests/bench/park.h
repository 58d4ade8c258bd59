/* What the parts of bench-park share. */
#ifndef BENCH_PARK_H
#define BENCH_PARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct park_options {
	int port, connections;
	const char *secret, *status_key;
	bool wait;		/* long polls, not server-sent events */
	double seconds, rate;	/* how long it stays; changes per second */
};

enum { PARK_REQUEST_MAX = 2048, PARK_ID_MAX = 64 };

/* park_http.c: the requests, and what comes back. */

/* A waiting front end asks for object i; last is the state that it knows. */
size_t park_ask(char to[PARK_REQUEST_MAX], const struct park_options *opt,
    long i, const char *last);
/* Object i changes for the n-th time. */
size_t park_change(char to[PARK_REQUEST_MAX], const struct park_options *opt,
    long i, long n);

/* An answer as it comes in, piece by piece. */
struct park_answer {
	int status;
	bool head_done, stream, ended, closes;
	long left;		/* bytes of a body of known length; -1 if not */
	char line[256];		/* the one in hand */
	size_t len;
	char state[PARK_ID_MAX];	/* the last one told, "" if none */
	unsigned events;	/* told since park_answer_begin() */
};

void park_answer_begin(struct park_answer *a);
void park_answer_feed(struct park_answer *a, const char *p, size_t n);

#endif
