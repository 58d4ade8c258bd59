/* Queue -> one transaction per batch -> an answer to each delivery. */
#include "serve/committer.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "serve/answer.h"
#include "serve/news.h"
#include "serve/queue.h"
#include "serve/worker.h"

enum {
	IDLE_MS = 1000,		/* between signs of life */
	BACKOFF_MIN_MS = 100,	/* between tries to connect */
	BACKOFF_MAX_MS = 250
};

struct committer {
	const struct config *cfg;
	struct queue *queue;
	struct store *store;
	struct slot **slots;	/* the batch in hand */
	struct entry **entries;
	atomic_bool available;
	unsigned number;	/* of the worker */
	unsigned backoff_ms;
	int64_t retry_ms;	/* when to try to connect again */
	bool complained;	/* that there is no connection */
};

/* Connects if it is time to; says so once when it fails, and when it works. */
static void
connect_in_time(struct committer *c)
{
	struct err err = ERR_INIT, notes = ERR_INIT;

	if (store_connected(c->store) || clock_ms() < c->retry_ms)
		return;
	if (store_connect(c->store, &err, &notes) == 0) {
		log_err(LOG_WARNING, &notes);
		log_line(LOG_NOTICE, "database: connected");
		metrics_add(METRIC_DB_CONNECTS, 1);
		c->backoff_ms = BACKOFF_MIN_MS;
		c->complained = false;
	} else {
		if (!c->complained)
			log_err(LOG_ERR, &err);
		c->complained = true;
		c->retry_ms = clock_ms() + c->backoff_ms;
		c->backoff_ms *= 2;
		if (c->backoff_ms > BACKOFF_MAX_MS)
			c->backoff_ms = BACKOFF_MAX_MS;
	}
}

static void
show_availability(struct committer *c)
{
	bool up = store_connected(c->store);

	atomic_store(&c->available, up);
	metrics_set(METRIC_DB_UP, up);
}

struct committer *
committer_new(const struct worker *w, struct queue *q)
{
	const struct config *cfg = w->cfg;
	struct committer *c = mem_calloc(1, sizeof(*c));

	c->cfg = cfg;
	c->queue = q;
	c->number = w->number;
	c->store = store_new(cfg, w->index);
	c->slots = mem_calloc((size_t)cfg->batch_max, sizeof(struct slot *));
	c->entries = mem_calloc((size_t)cfg->batch_max,
	    sizeof(struct entry *));
	c->backoff_ms = BACKOFF_MIN_MS;
	connect_in_time(c);
	show_availability(c);
	return c;
}

void
committer_free(struct committer *c)
{
	if (c == NULL)
		return;
	store_free(c->store);
	free(c->slots);
	free(c->entries);
	free(c);
}

bool
committer_available(const struct committer *c)
{
	return atomic_load(&c->available);
}

void
committer_watch(struct committer *c, int64_t now_ms)
{
	store_watch(c->store, now_ms);
}

static void
write_batch(struct committer *c, size_t n)
{
	struct err err = ERR_INIT;
	int64_t start = clock_wall_us();
	size_t stored = 0;

	for (size_t i = 0; i < n; i++)
		c->entries[i] = &c->slots[i]->entry;
	metrics_add(METRIC_BATCHES, 1);
	store_write(c->store, c->entries, n, &err);
	news_tell(c->number, c->entries, n);
	log_err(LOG_ERR, &err);
	metrics_observe(HIST_BATCH, n);
	metrics_observe(HIST_COMMIT, (uint64_t)(clock_wall_us() - start));
	for (size_t i = 0; i < n; i++)
		stored += outcome_table[c->entries[i]->out].http == 200;
	if (stored > 0)
		metrics_set(METRIC_LAST_STORED,
		    (uint64_t)(clock_wall_us() / 1000000));
	if (stored < n)
		metrics_add(METRIC_BATCH_FAILURES, 1);
	/* What a broken connection or right does, it does to all for a while. */
	if (!store_connected(c->store))
		c->retry_ms = clock_ms() + c->backoff_ms;
}

static void
refuse_batch(struct committer *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->slots[i]->entry.out = OUT_DB_DOWN;
}

void *
committer_run(void *arg)
{
	struct committer *c = arg;
	size_t n;

	while (!queue_done(c->queue)) {
		worker_beat(COMMITTER, STAGE_WAITING);
		n = queue_take(c->queue, c->slots, (size_t)c->cfg->batch_max,
		    store_batch_bytes(c->store),
		    store_connected(c->store) ? IDLE_MS : BACKOFF_MIN_MS);
		worker_beat(COMMITTER, STAGE_WRITING);
		connect_in_time(c);
		if (n > 0 && store_connected(c->store))
			write_batch(c, n);
		else
			refuse_batch(c, n);
		show_availability(c);
		worker_beat(COMMITTER, STAGE_ANSWERING);
		log_hold();
		for (size_t i = 0; i < n; i++) {
			answer(c->slots[i], c->slots[i]->entry.out);
			queue_put(c->queue, c->slots[i]);
		}
		log_flush();
	}
	return NULL;
}
