/*
 * The scoreboard: a file-backed mapping made before the first fork, one slot
 * per worker, written by that worker alone and summed by whoever reads. No
 * locks, so that nothing is left locked by a worker that died.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/outcome.h"

struct err;

enum metric {
#define METRIC(name, type, exported, help) METRIC_##name,
#include "base/metrics.tbl"
#undef METRIC
	METRIC__MAX
};

enum histogram {
	HIST_REQUEST,		/* microseconds from accept to answer */
	HIST_COMMIT,		/* microseconds of a batch's transaction */
	HIST_BATCH,		/* events in a batch */
	HIST__MAX
};

enum {
	HIST_BUCKETS = 16,
	METRICS_SLOTS = 256,
	METRICS_SECRETS = 8,
	METRICS_THREADS = 5	/* of a worker, at most */
};

enum pool { POOL_NONE, POOL_INGEST, POOL_STATUS, POOL__MAX };

/* What a thread of a worker is doing: shown by tools and in obituaries. */
enum stage {
	STAGE_NONE, STAGE_STARTING, STAGE_WAITING, STAGE_READING,
	STAGE_WRITING, STAGE_ANSWERING, STAGE_DRAINING, STAGE__MAX
};

struct metrics_hist {
	_Atomic uint64_t bucket[HIST_BUCKETS];
	_Atomic uint64_t sum, count;
};

/* When a signing secret last matched; a digest stands for the secret. */
struct metrics_secret {
	_Atomic uint64_t digest;	/* 0: none here */
	_Atomic int64_t last;		/* unix seconds, 0 if never */
};

struct metrics_slot {
	_Alignas(64) _Atomic int32_t pid;	/* 0: nobody */
	_Atomic int32_t pool;
	_Atomic int32_t pressed;	/* more comes than it can accept */
	_Atomic int64_t ready_ms;	/* clock_ms() since which it serves; 0:
					   not */
	_Atomic uint64_t deaths;	/* of workers here, by the master */
	_Atomic int32_t seccomp;	/* its system calls are restricted */
	_Atomic int32_t landlock;	/* by this version of it; 0: not */
	_Atomic int32_t refused_call;	/* that the sandbox killed it for; -1
					   none */
	_Atomic int32_t stage[METRICS_THREADS];
	_Atomic int64_t beat_ms[METRICS_THREADS];	/* clock_ms() of their
					   last sign of life; 0: none runs */
	_Atomic uint64_t outcome[OUT__MAX];
	_Atomic uint64_t metric[METRIC__MAX];
	struct metrics_hist hist[HIST__MAX];
	struct metrics_secret secret[METRICS_SECRETS];
};

/* Written by the master alone. */
struct metrics_master {
	_Atomic int64_t started;	/* unix seconds */
	_Atomic uint64_t reloads, reloads_failed, worker_starts, worker_deaths;
};

/* Makes the file and maps it. Returns 0, or -1 with the reason in err. */
int metrics_create(const char *path, struct err *err)
    __attribute__((warn_unused_result));

/*
 * Maps another process's, read-only, in the place of one that was opened
 * before. Returns as above.
 */
int metrics_open(const char *path, struct err *err)
    __attribute__((warn_unused_result));

struct metrics_slot *metrics_slot(unsigned i);
struct metrics_master *metrics_master(void);

/*
 * The slot of the calling process; until one is chosen a private one, so that
 * code under test needs no file.
 */
extern struct metrics_slot *metrics_own;

static inline void
metrics_add(enum metric m, uint64_t n)
{
	atomic_fetch_add_explicit(&metrics_own->metric[m], n,
	    memory_order_relaxed);
}

static inline void
metrics_set(enum metric m, uint64_t n)
{
	atomic_store_explicit(&metrics_own->metric[m], n,
	    memory_order_relaxed);
}

static inline void
metrics_outcome(enum outcome out)
{
	atomic_fetch_add_explicit(&metrics_own->outcome[out], 1,
	    memory_order_relaxed);
}

void metrics_observe(enum histogram h, uint64_t value);

/* A bucket's upper bound; the last one has none. */
uint64_t metrics_bound(enum histogram h, unsigned bucket);

/* Notes that the secret of this digest matched at a time. */
void metrics_secret_matched(uint64_t digest, int64_t now);

/* When it last did in any worker, 0 if never since the master's start. */
int64_t metrics_secret_last(uint64_t digest);

/* Clears the gauges of a slot whose worker is gone. */
void metrics_clear_gauges(struct metrics_slot *slot);

/* Sum over all slots, dead workers' counters included. */
uint64_t metrics_sum(enum metric m);

/* Live workers of a pool; ready ones only, if asked. */
unsigned metrics_live(enum pool pool, bool ready_only);

/* Prints all in the Prometheus text format, version 0.0.4. */
void metrics_print(FILE *out);

extern const char *const pool_names[POOL__MAX];
extern const char *const stage_names[STAGE__MAX];

#endif
