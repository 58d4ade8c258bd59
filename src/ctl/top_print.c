/* The live view's text. */
#include "ctl/top_show.h"

#include <stdlib.h>
#include <time.h>

#include "ctl/top_sample.h"

enum {
	TEXT = 32,		/* bytes of a value */
	SILENT_MS = 5000	/* a thread shows itself each second */
};

/* "812 us", "1.3 ms", "> 4.1 s"; "-" if negative. */
static const char *
duration(char text[TEXT], double us, bool open)
{
	const char *more = open ? "> " : "";

	if (us < 0)
		snprintf(text, TEXT, "-");
	else if (us < 1000)
		snprintf(text, TEXT, "%s%.0f us", more, us);
	else if (us < 1e6)
		snprintf(text, TEXT, "%s%.1f ms", more, us / 1e3);
	else
		snprintf(text, TEXT, "%s%.1f s", more, us / 1e6);
	return text;
}

static const char *
quantile(char text[TEXT], enum histogram h, const struct top_hist *before,
    const struct top_hist *after, double part)
{
	bool open;
	double us = top_quantile(h, before, after, part, &open);

	return duration(text, us, open);
}

/* "3d 04:05:06", "04:05:06" */
static const char *
span(char text[TEXT], int64_t seconds)
{
	long long s = seconds > 0 ? seconds : 0;
	int n = 0;

	if (s >= 86400)
		n = snprintf(text, TEXT, "%lldd ", s / 86400);
	snprintf(text + n, (size_t)(TEXT - n), "%02lld:%02lld:%02lld",
	    s / 3600 % 24, s / 60 % 60, s % 60);
	return text;
}

static const char *
ago(char text[TEXT], const struct top_sample *s, uint64_t when)
{
	int64_t seconds = s->at_us / 1000000 - (int64_t)when;

	if (when == 0)
		snprintf(text, TEXT, "never");
	else if (seconds < 60)
		snprintf(text, TEXT, "%lld s ago",
		    (long long)(seconds > 0 ? seconds : 0));
	else {
		char past[TEXT];

		snprintf(text, TEXT, "%.20s ago", span(past, seconds));
	}
	return text;
}

static void
print_head(FILE *out, const struct top_sample *s)
{
	time_t now = (time_t)(s->at_us / 1000000);
	char up[TEXT], clock[TEXT];
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", gmtime_r(&now, &tm));
	fprintf(out, "stripehook up %s, %s UTC; %llu reloads, %llu refused; "
	    "%llu workers died\n\n", span(up, now - s->started), clock,
	    (unsigned long long)s->reloads,
	    (unsigned long long)s->reloads_failed,
	    (unsigned long long)s->deaths);
}

static void
print_pools(FILE *out, const struct top_sample *from,
    const struct top_sample *to)
{
	char p50[TEXT], p99[TEXT], workers[TEXT];

	fprintf(out, "%-8s%9s%10s%10s%11s%9s%9s%9s\n", "POOL", "REQ/S", "P50",
	    "P99", "IN FLIGHT", "QUEUED", "PARKED", "WORKERS");
	for (unsigned p = POOL_INGEST; p < POOL__MAX; p++) {
		const struct top_pool *a = &from->pool[p], *b = &to->pool[p];

		snprintf(workers, sizeof(workers), "%u/%u", b->ready,
		    b->workers);
		fprintf(out, "%-8s%9.1f%10s%10s%11llu%9llu%9llu%9s\n",
		    pool_names[p], top_rate(from, to, a->requests, b->requests),
		    quantile(p50, HIST_REQUEST, &a->hist[HIST_REQUEST],
		    &b->hist[HIST_REQUEST], 0.5),
		    quantile(p99, HIST_REQUEST, &a->hist[HIST_REQUEST],
		    &b->hist[HIST_REQUEST], 0.99),
		    (unsigned long long)b->metric[METRIC_IN_FLIGHT],
		    (unsigned long long)b->metric[METRIC_QUEUED],
		    (unsigned long long)b->metric[METRIC_PARKED], workers);
	}
}

static void
print_batches(FILE *out, const struct top_sample *from,
    const struct top_sample *to)
{
	const struct top_pool *a = &from->pool[POOL_INGEST];
	const struct top_pool *b = &to->pool[POOL_INGEST];
	double events = top_mean(&a->hist[HIST_BATCH], &b->hist[HIST_BATCH]);
	char p50[TEXT], p99[TEXT], mean[TEXT] = "-", verified[TEXT],
	    stored[TEXT];

	if (events >= 0)
		snprintf(mean, sizeof(mean), "%.1f", events);
	fprintf(out, "\nbatches   %.1f/s, %s events each; commit p50 %s, p99 "
	    "%s; %.1f/s failed\n", top_rate(from, to,
	    a->metric[METRIC_BATCHES], b->metric[METRIC_BATCHES]), mean,
	    quantile(p50, HIST_COMMIT, &a->hist[HIST_COMMIT],
	    &b->hist[HIST_COMMIT], 0.5),
	    quantile(p99, HIST_COMMIT, &a->hist[HIST_COMMIT],
	    &b->hist[HIST_COMMIT], 0.99), top_rate(from, to,
	    a->metric[METRIC_BATCH_FAILURES],
	    b->metric[METRIC_BATCH_FAILURES]));
	fprintf(out, "database  %llu of %u ingest workers connected\n"
	    "last      verified %s, stored %s\n",
	    (unsigned long long)b->metric[METRIC_DB_UP], b->workers,
	    ago(verified, to, to->last_verified),
	    ago(stored, to, to->last_stored));
}

static void
print_outcomes(FILE *out, const struct top_sample *from,
    const struct top_sample *to)
{
	fprintf(out, "\n%-8s%-20s%7s%10s%13s\n", "POOL", "OUTCOME", "STATUS",
	    "PER S", "TOTAL");
	for (unsigned p = POOL_INGEST; p < POOL__MAX; p++)
		for (unsigned o = 0; o < OUT__MAX; o++) {
			uint64_t n = to->pool[p].outcome[o];

			if (n > 0)
				fprintf(out, "%-8s%-20s%7d%10.1f%13llu\n",
				    pool_names[p], outcome_table[o].code,
				    outcome_table[o].http, top_rate(from, to,
				    from->pool[p].outcome[o], n),
				    (unsigned long long)n);
		}
}

static void
print_workers(FILE *out, const struct top_sample *from,
    const struct top_sample *to)
{
	char state[TEXT];

	fprintf(out, "\n%-8s%-8s%8s  %-20s%9s%11s%9s%9s\n", "WORKER", "POOL",
	    "PID", "STATE", "REQ/S", "IN FLIGHT", "QUEUED", "RESTARTS");
	for (unsigned i = 0; i < METRICS_SLOTS; i++) {
		const struct top_worker *w = &to->worker[i];

		if (w->pid == 0)
			continue;
		if (w->silent_ms > SILENT_MS)
			snprintf(state, sizeof(state), "silent %lld s",
			    (long long)(w->silent_ms / 1000));
		else if (!w->ready)
			snprintf(state, sizeof(state), "starting");
		else
			snprintf(state, sizeof(state), "%s/%s",
			    stage_names[w->stage[0]],
			    stage_names[w->stage[1]]);
		fprintf(out, "%-8u%-8s%8d  %-20s%9.1f%11llu%9llu%9llu\n", i,
		    pool_names[w->pool], w->pid, state, top_rate(from, to,
		    from->worker[i].requests, w->requests),
		    (unsigned long long)w->metric[METRIC_IN_FLIGHT],
		    (unsigned long long)w->metric[METRIC_QUEUED],
		    (unsigned long long)w->deaths);
	}
}

void
top_print(FILE *out, const struct top_sample *from,
    const struct top_sample *to)
{
	print_head(out, to);
	print_pools(out, from, to);
	print_batches(out, from, to);
	print_workers(out, from, to);
	print_outcomes(out, from, to);
}
