/* Forks, watches and buries worker processes. */
#include "serve/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdpass.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/ingest.h"
#include "serve/obituary.h"
#include "serve/status.h"
#include "serve/worker.h"

enum {
	STUCK_MS = 30000,	/* without a sign of life: killed */
	OVERSTAY_MS = 30000,	/* from TERM or retirement to KILL */
	SETTLED_MS = 10000,	/* who lived so long may come back at once */
	BACKOFF_MIN_MS = 100,
	BACKOFF_SERVED_MS = 1000,	/* the most for one that had served */
	BACKOFF_MAX_MS = 30000
};

enum child_state {
	CHILD_NONE,		/* the slot is free */
	CHILD_RUNNING,
	CHILD_LEAVING,		/* told to go */
	CHILD_DEAD		/* will be started again */
};

struct child {
	enum child_state state;
	pid_t pid;
	enum pool pool;
	unsigned index;		/* in its pool */
	unsigned generation;
	unsigned failures;	/* early deaths in a row */
	int64_t started_ms;
	int64_t due_ms;		/* DEAD: restart; LEAVING: kill */
	int channel;		/* to hand it a log file; -1: none */
};

static int (*const runs[POOL__MAX])(const struct worker *) = {
	[POOL_INGEST] = ingest_run,
	[POOL_STATUS] = status_run,
};

void
pools_init(struct pools *p)
{
	memset(p, 0, sizeof(*p));
	p->children = mem_calloc(METRICS_SLOTS, sizeof(*p->children));
	for (unsigned i = 0; i < METRICS_SLOTS; i++)
		p->children[i].channel = -1;
	for (unsigned i = 0; i < POOL__MAX; i++) {
		p->info[i].pool = (enum pool)i;
		p->info[i].listener.fd = p->info[i].listener.lock = -1;
	}
}

void
pools_free(struct pools *p)
{
	for (unsigned i = 0; i < POOL__MAX; i++)
		listener_close(&p->info[i].listener);
	free(p->children);
	p->children = NULL;
}

static void
close_channel(struct child *c)
{
	if (c->channel >= 0)
		close(c->channel);
	c->channel = -1;
}

/* The rest of the child's life. */
static void __attribute__((noreturn))
live(struct pools *p, unsigned number, pid_t master, int channel)
{
	struct child *c = &p->children[number];
	struct worker w = { .pool = c->pool, .index = c->index,
	    .number = number, .generation = c->generation,
	    .cfg = p->cfg, .fd = p->info[c->pool].listener.fd,
	    .channel = channel };
	int rc;

	unsetenv("NOTIFY_SOCKET");
	for (unsigned i = 0; i < METRICS_SLOTS; i++)
		close_channel(&p->children[i]);
	for (unsigned i = 0; i < POOL__MAX; i++)
		if (i != (unsigned)w.pool)
			listener_close(&p->info[i].listener);
	listener_unlock(&p->info[w.pool].listener);
	metrics_own = metrics_slot(number);
	metrics_own->pool = (int32_t)w.pool;
	worker_beat(ACCEPTOR, STAGE_STARTING);
	worker_beat(COMMITTER, STAGE_STARTING);
	metrics_own->refused_call = -1;
	metrics_own->pid = getpid();
	rc = runs[w.pool] != NULL && worker_enter(&w, master) == 0 ?
	    runs[w.pool](&w) : EXIT_FAILURE;
	pools_free(p);
	exit(rc);
}

static void
start(struct pools *p, unsigned number)
{
	struct child *c = &p->children[number];
	pid_t master = getpid(), pid = -1;
	int ends[2] = { -1, -1 };

	if (fdpass_open(ends) == 0 && (pid = fork()) == 0) {
		close(ends[0]);
		live(p, number, master, ends[1]);
	}
	c->started_ms = clock_ms();
	if (pid < 0)
		log_line(LOG_ERR, "no new worker: %s", strerror(errno));
	c->channel = ends[0];
	if (ends[1] >= 0)
		close(ends[1]);
	if (pid < 0) {
		close_channel(c);
		c->state = CHILD_DEAD;
		c->due_ms = c->started_ms + BACKOFF_MAX_MS;
		return;
	}
	c->pid = pid;
	c->state = CHILD_RUNNING;
	atomic_fetch_add(&metrics_master()->worker_starts, 1);
}

static void
start_pool(struct pools *p, enum pool pool, unsigned n)
{
	unsigned started = 0;

	for (unsigned i = 0; i < METRICS_SLOTS && started < n; i++) {
		struct child *c = &p->children[i];

		/* A slot stays with its pool, whose counters it holds. */
		if (c->state != CHILD_NONE || (metrics_slot(i)->pool !=
		    POOL_NONE && metrics_slot(i)->pool != (int32_t)pool))
			continue;
		*c = (struct child){ .pool = pool, .index = started++,
		    .generation = p->generation, .channel = -1 };
		start(p, i);
	}
	if (started < n)
		log_line(LOG_ERR, "%s: %u of %u workers started: too many "
		    "old ones have not ended", pool_names[pool], started, n);
}

void
pools_start(struct pools *p)
{
	p->generation++;
	start_pool(p, POOL_INGEST, (unsigned)p->cfg->ingest_workers);
	start_pool(p, POOL_STATUS, (unsigned)p->cfg->status_workers);
}

bool
pools_ready(const struct pools *p)
{
	for (unsigned i = 0; i < METRICS_SLOTS; i++) {
		const struct child *c = &p->children[i];

		if (c->state != CHILD_NONE &&
		    c->generation == p->generation &&
		    (c->state != CHILD_RUNNING || metrics_slot(i)->ready_ms == 0))
			return false;
	}
	return true;
}

static void
tell(struct child *c, int sig)
{
	if (c->state != CHILD_RUNNING && c->state != CHILD_LEAVING)
		return;
	kill(c->pid, sig);
	if (c->state == CHILD_RUNNING && (sig == SIGTERM || sig == SIGUSR2)) {
		c->state = CHILD_LEAVING;
		c->due_ms = clock_ms() + OVERSTAY_MS;
	}
}

void
pools_signal(struct pools *p, int sig)
{
	for (unsigned i = 0; i < METRICS_SLOTS; i++) {
		tell(&p->children[i], sig);
		if (p->stopping && p->children[i].state == CHILD_DEAD)
			p->children[i].state = CHILD_NONE;
	}
}

void
pools_change_log(struct pools *p)
{
	int fd = log_descriptor();

	for (unsigned i = 0; fd >= 0 && i < METRICS_SLOTS; i++) {
		struct child *c = &p->children[i];

		if (c->channel < 0)
			continue;
		if (fdpass_send(c->channel, fd) != 0)
			log_line(LOG_ERR, "worker %u (pid %d) does not take "
			    "the new log file: %s", i, (int)c->pid,
			    strerror(errno));
		tell(c, SIGUSR1);
	}
}

void
pools_retire_old(struct pools *p)
{
	for (unsigned i = 0; i < METRICS_SLOTS; i++) {
		struct child *c = &p->children[i];

		if (c->generation == p->generation)
			continue;
		if (c->state == CHILD_DEAD)
			c->state = CHILD_NONE;
		tell(c, SIGUSR2);
	}
}

/* A death that nobody asked for, and the wait it earns. */
static void
mourn(struct child *c, unsigned number, int status, bool stopping)
{
	const struct metrics_slot *slot = metrics_slot(number);
	int64_t lived = clock_ms() - c->started_ms, wait = 0;

	c->failures = lived >= SETTLED_MS ? 0 : c->failures + 1;
	if (c->failures > 0)
		wait = c->failures > 9 ? BACKOFF_MAX_MS :
		    (int64_t)BACKOFF_MIN_MS << (c->failures - 1);
	if (slot->ready_ms != 0 && wait > BACKOFF_SERVED_MS)
		wait = BACKOFF_SERVED_MS;
	obituary(number, c->pid, status, lived, stopping ? -1 : wait);
	c->due_ms = clock_ms() + wait;
	atomic_fetch_add(&metrics_slot(number)->deaths, 1);
	atomic_fetch_add(&metrics_master()->worker_deaths, 1);
}

static void
bury(struct pools *p, unsigned number, int status)
{
	struct child *c = &p->children[number];
	bool asked = c->state == CHILD_LEAVING && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0;

	if (!asked)
		mourn(c, number, status,
		    p->stopping || c->state == CHILD_LEAVING);
	c->state = p->stopping || c->state == CHILD_LEAVING ?
	    CHILD_NONE : CHILD_DEAD;
	close_channel(c);
	metrics_clear_gauges(metrics_slot(number));
}

void
pools_reap(struct pools *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < METRICS_SLOTS; i++) {
			struct child *c = &p->children[i];

			if (c->pid == pid && (c->state == CHILD_RUNNING ||
			    c->state == CHILD_LEAVING)) {
				bury(p, i, status);
				break;
			}
		}
}

/* Which thread of a serving worker gave no sign of life for too long; or -1. */
static int
stuck_thread(unsigned number, const struct child *c, int64_t now_ms)
{
	const struct metrics_slot *slot = metrics_slot(number);
	if (now_ms - c->started_ms < STUCK_MS || slot->pid != c->pid)
		return -1;
	for (int t = ACCEPTOR; t < METRICS_THREADS; t++)
		if (slot->beat_ms[t] != 0 &&
		    now_ms - slot->beat_ms[t] > STUCK_MS)
			return t;
	return -1;
}

static void
kill_stuck(struct child *c, unsigned number, int64_t now_ms)
{
	int thread = stuck_thread(number, c, now_ms);

	if (thread < 0)
		return;
	log_line(LOG_ERR, "worker %u (%s, pid %d) is stuck: its %s was %s "
	    "%d s ago; killed", number, pool_names[c->pool], (int)c->pid,
	    thread == ACCEPTOR ? "acceptor" :
	    c->pool == POOL_INGEST ? "committer" : "watcher",
	    stage_names[metrics_slot(number)->stage[thread]],
	    STUCK_MS / 1000);
	kill(c->pid, SIGKILL);
}

void
pools_tick(struct pools *p, int64_t now_ms)
{
	for (unsigned i = 0; i < METRICS_SLOTS; i++) {
		struct child *c = &p->children[i];

		switch (c->state) {
		case CHILD_NONE:
			break;
		case CHILD_RUNNING:
			kill_stuck(c, i, now_ms);
			break;
		case CHILD_LEAVING:
			if (now_ms > c->due_ms)
				kill(c->pid, SIGKILL);
			break;
		case CHILD_DEAD:
			if (now_ms >= c->due_ms && !p->stopping)
				start(p, i);
			break;
		}
	}
}

unsigned
pools_alive(const struct pools *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < METRICS_SLOTS; i++)
		n += p->children[i].state == CHILD_RUNNING ||
		    p->children[i].state == CHILD_LEAVING;
	return n;
}
