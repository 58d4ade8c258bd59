/* The live view as one JSON document. */
#include <json-c/json.h>

#include "ctl/ctl_out.h"
#include "ctl/ctl_time.h"
#include "ctl/top_sample.h"
#include "ctl/top_show.h"

/* Two decimals are enough for rates and milliseconds; negative: null. */
static void
add_number(struct json_object *o, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", value);
	json_object_object_add(o, key, value < 0 ? NULL :
	    json_object_new_double_s(value, text));
}

/* A moment in unix seconds; 0 becomes null. */
static void
add_time(struct json_object *o, const char *key, uint64_t when)
{
	char text[TIME_TEXT];

	time_print_iso(text, (int64_t)when * 1000000);
	out_text(o, key, when != 0 ? text : NULL);
}

static void
add_quantiles(struct json_object *o, const char *p50, const char *p99,
    enum histogram h, const struct top_pool *a, const struct top_pool *b)
{
	bool open;

	add_number(o, p50, top_quantile(h, &a->hist[h], &b->hist[h], 0.5,
	    &open) / 1e3);
	add_number(o, p99, top_quantile(h, &a->hist[h], &b->hist[h], 0.99,
	    &open) / 1e3);
}

static void
add_count(struct json_object *o, const char *key, uint64_t n)
{
	out_int(o, key, (long long)n);
}

static struct json_object *
pools(const struct top_sample *from, const struct top_sample *to)
{
	struct json_object *all = json_object_new_object(), *o;

	for (unsigned p = POOL_INGEST; p < POOL__MAX; p++) {
		const struct top_pool *a = &from->pool[p], *b = &to->pool[p];

		o = json_object_new_object();
		add_count(o, "workers", b->workers);
		add_count(o, "ready", b->ready);
		add_number(o, "requests_per_second", top_rate(from, to,
		    a->requests, b->requests));
		add_quantiles(o, "p50_ms", "p99_ms", HIST_REQUEST, a, b);
		add_count(o, "in_flight", b->metric[METRIC_IN_FLIGHT]);
		add_count(o, "queued", b->metric[METRIC_QUEUED]);
		add_count(o, "parked", b->metric[METRIC_PARKED]);
		json_object_object_add(all, pool_names[p], o);
	}
	return all;
}

static struct json_object *
batches(const struct top_sample *from, const struct top_sample *to)
{
	const struct top_pool *a = &from->pool[POOL_INGEST];
	const struct top_pool *b = &to->pool[POOL_INGEST];
	struct json_object *o = json_object_new_object();

	add_number(o, "per_second", top_rate(from, to,
	    a->metric[METRIC_BATCHES], b->metric[METRIC_BATCHES]));
	add_number(o, "events", top_mean(&a->hist[HIST_BATCH],
	    &b->hist[HIST_BATCH]));
	add_quantiles(o, "commit_p50_ms", "commit_p99_ms", HIST_COMMIT, a, b);
	add_number(o, "failures_per_second", top_rate(from, to,
	    a->metric[METRIC_BATCH_FAILURES],
	    b->metric[METRIC_BATCH_FAILURES]));
	return o;
}

/* Those that ever came. */
static struct json_object *
outcomes(const struct top_sample *from, const struct top_sample *to)
{
	struct json_object *list = json_object_new_array(), *o;

	for (unsigned p = POOL_INGEST; p < POOL__MAX; p++)
		for (unsigned i = 0; i < OUT__MAX; i++) {
			if (to->pool[p].outcome[i] == 0)
				continue;
			o = json_object_new_object();
			out_text(o, "pool", pool_names[p]);
			out_text(o, "outcome", outcome_table[i].code);
			out_int(o, "status", outcome_table[i].http);
			add_number(o, "per_second", top_rate(from, to,
			    from->pool[p].outcome[i],
			    to->pool[p].outcome[i]));
			add_count(o, "total", to->pool[p].outcome[i]);
			json_object_array_add(list, o);
		}
	return list;
}

static struct json_object *
workers(const struct top_sample *from, const struct top_sample *to)
{
	struct json_object *list = json_object_new_array(), *o;

	for (unsigned i = 0; i < METRICS_SLOTS; i++) {
		const struct top_worker *w = &to->worker[i];

		if (w->pid == 0)
			continue;
		o = json_object_new_object();
		out_int(o, "worker", i);
		out_text(o, "pool", pool_names[w->pool]);
		out_int(o, "pid", w->pid);
		json_object_object_add(o, "ready",
		    json_object_new_boolean(w->ready));
		out_text(o, "stage", stage_names[w->stage[0]]);
		out_text(o, "second_stage", stage_names[w->stage[1]]);
		out_int(o, "silent_ms", w->silent_ms);
		add_number(o, "requests_per_second", top_rate(from, to,
		    from->worker[i].requests, w->requests));
		add_count(o, "in_flight", w->metric[METRIC_IN_FLIGHT]);
		add_count(o, "queued", w->metric[METRIC_QUEUED]);
		add_count(o, "restarts", w->deaths);
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *
top_json(const struct top_sample *from, const struct top_sample *to)
{
	struct json_object *o = json_object_new_object();

	add_time(o, "at", (uint64_t)(to->at_us / 1000000));
	add_time(o, "started", (uint64_t)to->started);
	add_number(o, "seconds", (double)(to->at_ms - from->at_ms) / 1e3);
	add_count(o, "reloads", to->reloads);
	add_count(o, "reloads_failed", to->reloads_failed);
	add_count(o, "worker_deaths", to->deaths);
	json_object_object_add(o, "pools", pools(from, to));
	json_object_object_add(o, "batches", batches(from, to));
	add_count(o, "database_connections",
	    to->pool[POOL_INGEST].metric[METRIC_DB_UP]);
	add_time(o, "last_verified", to->last_verified);
	add_time(o, "last_stored", to->last_stored);
	json_object_object_add(o, "workers", workers(from, to));
	json_object_object_add(o, "outcomes", outcomes(from, to));
	return o;
}
