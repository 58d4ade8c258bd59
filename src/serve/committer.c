/*
 * Queue -> one transaction per batch -> an answer to each delivery. What is
 * left to do after the answers waits until the database has its next batch.
 */
#include "serve/committer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

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
	BACKOFF_MAX_MS = 250,
	HELP_MAX = 32,		/* events in a helper's batch */
	SLOW_MS = 4,		/* a COMMIT that is worth help */
	SLOW_CALL = 8,		/* so many, and none was quick: it is far away */
	SLOW_AGAIN = 64,	/* so many after one that was quick */
	REST_MS = 10000		/* uncalled, before a helper's connection goes */
};

_Static_assert((int)COMMITTER + COMMITTERS <= METRICS_THREADS,
    "each shows signs of life in a place of its own");

struct committer {
	struct queue *queue;
	struct store *store;
	size_t cap;		/* of a batch */
	struct slot **slots;	/* the batch in hand */
	struct entry **entries;
	struct slot **answered;	/* the one before, not at its end yet */
	size_t nanswered;
	pthread_t thread;
	bool running;
	atomic_bool available;
	unsigned nth;		/* 0: the first */
	unsigned number;	/* of the worker */
	unsigned backoff_ms;
	int64_t retry_ms;	/* when to try to connect again */
	int64_t called_ms;	/* a helper's last call */
	unsigned slow;		/* commits that were so, in a row */
	unsigned slow_call;	/* so many call for help */
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
		log_line(LOG_NOTICE, c->nth == 0 ? "database: connected" :
		    "database: commits take long; a further connection helps");
		metrics_add(METRIC_DB_CONNECTS, 1);
		c->backoff_ms = BACKOFF_MIN_MS;
		c->slow = 0;
		c->slow_call = SLOW_CALL;
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
	bool was = atomic_exchange(&c->available, up);

	if (c->nth == 0) {
		metrics_set(METRIC_DB_UP, up);
		metrics_set(METRIC_DB_UNSAFE, store_is_unsafe(c->store));
	} else if (up != was) {
		metrics_add(METRIC_HELPERS, up ? 1 : UINT64_MAX);
	}
}

static void
beat(const struct committer *c, enum stage stage)
{
	worker_beat(COMMITTER + c->nth, stage);
}

static void
end_answered(void *arg)
{
	struct committer *c = arg;

	if (c->nanswered == 0)
		return;
	log_hold();
	for (size_t i = 0; i < c->nanswered; i++) {
		answer_end(c->answered[i], c->answered[i]->entry.out);
		queue_put(c->queue, c->answered[i]);
	}
	log_flush();
	c->nanswered = 0;
}

struct committer *
committer_new(const struct worker *w, struct queue *q, unsigned nth)
{
	const struct config *cfg = w->cfg;
	struct committer *c = mem_calloc(1, sizeof(*c));

	c->queue = q;
	c->nth = nth;
	c->number = w->number;
	c->cap = (size_t)cfg->batch_max;
	if (nth > 0 && c->cap > HELP_MAX)
		c->cap = HELP_MAX;
	c->store = store_new(cfg, c->cap, w->index);
	c->slots = mem_calloc(c->cap, sizeof(struct slot *));
	c->answered = mem_calloc(c->cap, sizeof(struct slot *));
	store_meanwhile(c->store, end_answered, c);
	c->entries = mem_calloc(c->cap, sizeof(struct entry *));
	c->backoff_ms = BACKOFF_MIN_MS;
	if (nth == 0)
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
	free(c->answered);
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

/*
 * Calls the helpers, or lets them rest. With a database that is far away they
 * bring more events per second, with one that has too much to do fewer; of the
 * latter's commits some are quick.
 */
static void
judge_commit(struct committer *c)
{
	if (store_commit_ms(c->store) < SLOW_MS) {
		c->slow = 0;
		c->slow_call = SLOW_AGAIN;
	} else if (c->slow < c->slow_call) {
		c->slow++;
	}
	queue_call(c->queue, c->slow == c->slow_call);
}

static void
answer_batch(struct committer *c, size_t n)
{
	struct slot **ended = c->answered;

	end_answered(c);
	beat(c, STAGE_ANSWERING);
	for (size_t i = 0; i < n; i++)
		answer_send(c->slots[i], c->slots[i]->entry.out);
	c->answered = c->slots;
	c->nanswered = n;
	c->slots = ended;
}

/*
 * Takes what is queued. If there is less of it than last time, what is left to
 * do is done first: the more come meanwhile, the less a transaction costs each.
 */
static size_t
take(struct committer *c)
{
	bool connected = store_connected(c->store);
	unsigned wait_ms = connected ? IDLE_MS : BACKOFF_MIN_MS;

	if (!connected || !queue_has(c->queue, c->nanswered))
		end_answered(c);
	/* A helper may have been faster. */
	return queue_take(c->queue, c->slots, c->cap,
	    store_batch_bytes(c->store), c->nanswered > 0 ? 0 : wait_ms);
}

/* Writes what is queued, or refuses it. */
static void
commit_next(struct committer *c)
{
	size_t n = take(c);

	beat(c, STAGE_WRITING);
	if (n == 0) {
		store_ping(c->store);
		queue_call(c->queue, false);
	}
	connect_in_time(c);
	if (n > 0 && store_connected(c->store)) {
		write_batch(c, n);
		judge_commit(c);
	} else {
		refuse_batch(c, n);
	}
	show_availability(c);
	answer_batch(c, n);
}

/* Takes nothing but what it can write. */
static void
help_out(struct committer *c)
{
	size_t n = queue_help(c->queue, c->slots, c->cap,
	    store_batch_bytes(c->store), IDLE_MS);

	if (n == 0)
		return;
	beat(c, STAGE_WRITING);
	write_batch(c, n);
	answer_batch(c, n);
	end_answered(c);
}

static void
help_if_called(struct committer *c)
{
	const struct timespec pause = { 0, BACKOFF_MIN_MS * 1000000L };

	if (queue_called(c->queue, IDLE_MS)) {
		c->called_ms = clock_ms();
		connect_in_time(c);
		if (store_connected(c->store))
			help_out(c);
		else
			nanosleep(&pause, NULL);
	} else if (clock_ms() - c->called_ms > REST_MS) {
		store_disconnect(c->store);
	}
	show_availability(c);
}

static void *
run(void *arg)
{
	struct committer *c = arg;

	while (!queue_done(c->queue)) {
		beat(c, STAGE_WAITING);
		if (c->nth == 0)
			commit_next(c);
		else
			help_if_called(c);
	}
	end_answered(c);
	return NULL;
}

int
committer_start(struct committer *c)
{
	c->running = pthread_create(&c->thread, NULL, run, c) == 0;
	if (!c->running)
		log_line(LOG_ERR, "no thread for the committer");
	return c->running ? 0 : -1;
}

bool
committer_ended(struct committer *c)
{
	if (c->running && pthread_tryjoin_np(c->thread, NULL) == 0)
		c->running = false;
	return !c->running;
}
