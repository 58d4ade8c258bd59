/* What the scoreboard says at a moment, and what two moments tell. */
#ifndef CTL_TOP_SAMPLE_H
#define CTL_TOP_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/metrics.h"
#include "base/outcome.h"

struct top_hist {
	uint64_t bucket[HIST_BUCKETS];
	uint64_t sum, count;
};

/* A place of the scoreboard; pid is 0 where no worker is. */
struct top_worker {
	int pid;
	enum pool pool;
	bool ready;
	enum stage stage[2];
	int64_t silent_ms;	/* since the last sign of life of a thread */
	uint64_t requests, deaths;
	uint64_t metric[METRIC__MAX];
};

/* Sums of a pool, dead workers' included. */
struct top_pool {
	unsigned workers, ready;
	uint64_t requests;
	uint64_t outcome[OUT__MAX];
	uint64_t metric[METRIC__MAX];	/* not those of which the greatest
					   counts */
	struct top_hist hist[HIST__MAX];
};

struct top_sample {
	int64_t at_ms;			/* clock_ms() */
	int64_t at_us;			/* clock_wall_us() */
	int64_t started;		/* unix seconds */
	uint64_t reloads, reloads_failed, deaths;
	uint64_t last_verified, last_stored;	/* unix seconds, 0: never */
	struct top_pool pool[POOL__MAX];
	struct top_worker worker[METRICS_SLOTS];
};

/* Reads the scoreboard, which is open. */
void top_read(struct top_sample *s);

/* Per second, of a counter between two samples. */
double top_rate(const struct top_sample *from, const struct top_sample *to,
    uint64_t before, uint64_t after);

/*
 * The value below which a part (0.5, 0.99) of what came between two samples
 * lies, as far as buckets tell: taken as evenly spread within one. Negative
 * if nothing came. open is set if it lies beyond the last bound, which is
 * then the value.
 */
double top_quantile(enum histogram h, const struct top_hist *before,
    const struct top_hist *after, double part, bool *open);

/* The mean of what came between two samples; negative if nothing did. */
double top_mean(const struct top_hist *before, const struct top_hist *after);

#endif
