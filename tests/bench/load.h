/* What the parts of the load generator share. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct load_options {
	const char *template;	/* event with @N where its number goes */
	const char *requests;	/* or lines "PATH CREDENTIAL" to GET */
	const char *secret, *path, *ledger, *prefix;
	int port, connections, duplicates;	/* percent sent again */
	long count;		/* 0: until the time is over */
	double seconds, warm_up;
	double rate;		/* 0: each answer brings the next request */
	bool tls, resend, random_ids;
};

/*
 * load_event.c: requests. The id of number n is made from n alone, so that
 * any may be sent again.
 */
enum { LOAD_ID_MAX = 64 };
void load_event_init(const struct load_options *opt);
size_t load_request_max(void);
size_t load_request(char *to, long number);
void load_id(char to[LOAD_ID_MAX], long number);

/* load_conn.c: a connection, driven by the events of an epoll descriptor. */
struct load_wire;
struct load_conn {
	struct load_wire *wire;
	long number;		/* of the request that is or was in hand */
	bool busy;
	int64_t due_us, sent_us;
};
enum load_end { LOAD_NOT_YET, LOAD_ANSWERED, LOAD_BROKEN };

int load_conn_init(const struct load_options *opt);
void load_conn_new(struct load_conn *c);
/* Sends the request number, unless it is LOAD_BROKEN at once. */
enum load_end load_conn_begin(struct load_conn *c, long number,
    int64_t due_us);
/* What became of it; status is then that of the answer. */
enum load_end load_conn_step(struct load_conn *c, int *status);

/* load_stats.c: what came of it. */
void load_stats_reset(int64_t now_us);
/*
 * Every answer counts for answers_ever and ok_ever: what processor times
 * belong to, and what must be stored.
 */
void load_stats_ever(int status);
void load_stats_count(int status, int64_t due_us, int64_t sent_us,
    int64_t now_us);
long load_stats_ok(void);
void load_stats_report(FILE *out, const struct load_options *opt,
    int64_t now_us);

/* Microseconds of a clock that never jumps. */
int64_t load_now(void);

#endif
