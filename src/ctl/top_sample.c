/* Reads the scoreboard, and takes one reading from another. */
#include "ctl/top_sample.h"

#include <string.h>

#include "base/clock.h"

/* A worker may have been counting since: a difference is never negative. */
static uint64_t
since(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

static void
read_worker(struct top_worker *w, struct metrics_slot *slot, int64_t now_ms)
{
	w->pid = slot->pid;
	w->pool = slot->pool > POOL_NONE && slot->pool < POOL__MAX ?
	    (enum pool)slot->pool : POOL_NONE;
	w->ready = slot->ready_ms != 0;
	w->deaths = slot->deaths;
	for (int t = 0; t < 2; t++) {
		int32_t stage = slot->stage[t];

		w->stage[t] = stage > STAGE_NONE && stage < STAGE__MAX ?
		    (enum stage)stage : STAGE_NONE;
	}
	for (int t = 0; t < METRICS_THREADS; t++) {
		int64_t beat_ms = slot->beat_ms[t];

		if (beat_ms != 0 && now_ms - beat_ms > w->silent_ms)
			w->silent_ms = now_ms - beat_ms;
	}
	for (unsigned o = 0; o < OUT__MAX; o++)
		w->requests += slot->outcome[o];
	for (unsigned m = 0; m < METRIC__MAX; m++)
		w->metric[m] = slot->metric[m];
}

static void
add_slot(struct top_pool *pool, const struct top_worker *w,
    struct metrics_slot *slot)
{
	pool->workers += w->pid != 0;
	pool->ready += w->pid != 0 && w->ready;
	pool->requests += w->requests;
	for (unsigned o = 0; o < OUT__MAX; o++)
		pool->outcome[o] += slot->outcome[o];
	for (unsigned m = 0; m < METRIC__MAX; m++)
		pool->metric[m] += w->metric[m];
	for (unsigned h = 0; h < HIST__MAX; h++) {
		for (unsigned b = 0; b < HIST_BUCKETS; b++)
			pool->hist[h].bucket[b] += slot->hist[h].bucket[b];
		pool->hist[h].sum += slot->hist[h].sum;
		pool->hist[h].count += slot->hist[h].count;
	}
}

void
top_read(struct top_sample *s)
{
	const struct metrics_master *master = metrics_master();

	memset(s, 0, sizeof(*s));
	s->at_ms = clock_ms();
	s->at_us = clock_wall_us();
	s->started = master->started;
	s->reloads = master->reloads;
	s->reloads_failed = master->reloads_failed;
	s->deaths = master->worker_deaths;
	s->last_verified = metrics_sum(METRIC_LAST_VERIFIED);
	s->last_stored = metrics_sum(METRIC_LAST_STORED);
	for (unsigned i = 0; i < METRICS_SLOTS; i++) {
		read_worker(&s->worker[i], metrics_slot(i), s->at_ms);
		add_slot(&s->pool[s->worker[i].pool], &s->worker[i],
		    metrics_slot(i));
	}
}

double
top_rate(const struct top_sample *from, const struct top_sample *to,
    uint64_t before, uint64_t after)
{
	int64_t ms = to->at_ms - from->at_ms;

	return ms > 0 ? (double)since(before, after) * 1000 / (double)ms : 0;
}

double
top_quantile(enum histogram h, const struct top_hist *before,
    const struct top_hist *after, double part, bool *open)
{
	uint64_t n[HIST_BUCKETS], total = 0;
	double rank, below = 0, low = 0;
	unsigned b;

	for (b = 0; b < HIST_BUCKETS; b++)
		total += n[b] = since(before->bucket[b], after->bucket[b]);
	*open = false;
	if (total == 0)
		return -1;
	rank = part * (double)total;
	for (b = 0; b < HIST_BUCKETS - 1; b++) {
		double high = (double)metrics_bound(h, b);

		if (below + (double)n[b] >= rank && n[b] > 0)
			return low + (high - low) * (rank - below) /
			    (double)n[b];
		below += (double)n[b];
		low = high;
	}
	*open = true;
	return low;
}

double
top_mean(const struct top_hist *before, const struct top_hist *after)
{
	uint64_t n = since(before->count, after->count);

	return n > 0 ? (double)since(before->sum, after->sum) / (double)n : -1;
}
