/* The thread that asks the database for states. */
#include "serve/watcher.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "serve/worker.h"
#include "store/db.h"
#include "store/migrate.h"

enum {
	IDLE_S = 1,		/* between signs of life */
	RECONNECT_MS = 500	/* between tries to reach the database */
};

struct watcher {
	const struct config *cfg;
	pthread_t thread;
	int fd;			/* eventfd: a job is done */

	pthread_mutex_t lock;	/* of the next three */
	pthread_cond_t given;
	struct watcher_job *job, *done;
	bool end;

	/* The thread's own. */
	MYSQL *mysql;
	unsigned host;		/* where the next connect begins */
	int64_t retry_ms;	/* no new try before */
	char error[512];	/* why there is no connection */
};

/* A connection, or NULL with w->error set. */
static MYSQL *
database(struct watcher *w)
{
	struct err err = ERR_INIT;

	if (w->mysql != NULL || clock_ms() < w->retry_ms)
		return w->mysql;
	w->mysql = db_connect(w->cfg, DB_ROLE_STATUS, w->cfg->db_name,
	    w->host++, &err);
	if (w->mysql != NULL) {
		metrics_add(METRIC_DB_CONNECTS, 1);
		return w->mysql;
	}
	snprintf(w->error, sizeof(w->error), "%.*s",
	    (int)strcspn(err.text, "\n"), err.text);
	log_err(LOG_ERR, &err);
	w->retry_ms = clock_ms() + RECONNECT_MS;
	return NULL;
}

static void
disconnect(struct watcher *w)
{
	if (w->mysql != NULL)
		mysql_close(w->mysql);
	w->mysql = NULL;
}

static enum outcome
look(struct watcher *w, struct watcher_job *job)
{
	enum outcome out = OUT_DB_DOWN;

	if (job->n == 0)
		return OUT_OK;
	/* A connection that idled too long is found dead here: once more. */
	for (int tries = 0; tries < 2 && out == OUT_DB_DOWN; tries++) {
		if (database(w) == NULL)
			return OUT_DB_DOWN;
		out = lookup_all(w->mysql, job->lookups, job->n);
		if (out != OUT_OK)
			disconnect(w);
	}
	return out;
}

/* Why deliveries can't be stored now; nothing if they can. */
static void
find_obstacles(struct watcher *w, struct err *why)
{
	if (database(w) == NULL)
		err_add(why, "%s", w->error);
	else if (schema_check(w->mysql, why, NULL) != 0)
		disconnect(w);
	if (metrics_live(POOL_INGEST, true) == 0)
		err_add(why, "no ingest worker is running");
	else if (metrics_sum(METRIC_DB_UP) == 0)
		err_add(why, "no ingest worker can write to the database");
}

/* The next job, NULL when there will be none. */
static struct watcher_job *
next_job(struct watcher *w)
{
	struct watcher_job *job;
	struct timespec until;

	pthread_mutex_lock(&w->lock);
	while ((job = w->job) == NULL && !w->end) {
		worker_beat(COMMITTER, STAGE_WAITING);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += IDLE_S;
		pthread_cond_timedwait(&w->given, &w->lock, &until);
	}
	w->job = NULL;
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void
give_back(struct watcher *w, struct watcher_job *job)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&w->lock);
	w->done = job;
	pthread_mutex_unlock(&w->lock);
	if (write(w->fd, &one, sizeof(one)) < 0)
		log_line(LOG_ERR, "eventfd: %s", strerror(errno));
}

static void *
run(void *arg)
{
	struct watcher *w = arg;
	struct watcher_job *job;

	(void)database(w);
	while ((job = next_job(w)) != NULL) {
		worker_beat(COMMITTER, STAGE_READING);
		job->out = look(w, job);
		if (job->ready)
			find_obstacles(w, &job->why_not);
		give_back(w, job);
	}
	disconnect(w);
	mysql_thread_end();
	return NULL;
}

struct watcher *
watcher_new(const struct config *cfg, unsigned first)
{
	struct watcher *w = mem_calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	w->cfg = cfg;
	w->host = first;
	w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->given, &attr);
	pthread_condattr_destroy(&attr);
	if (w->fd >= 0 && pthread_create(&w->thread, NULL, run, w) == 0)
		return w;
	log_line(LOG_ERR, "no thread for the watcher: %s", strerror(errno));
	if (w->fd >= 0)
		close(w->fd);
	free(w);
	return NULL;
}

void
watcher_free(struct watcher *w)
{
	pthread_mutex_lock(&w->lock);
	w->end = true;
	pthread_cond_signal(&w->given);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->given);
	pthread_mutex_destroy(&w->lock);
	close(w->fd);
	free(w);
}

int
watcher_fd(const struct watcher *w)
{
	return w->fd;
}

void
watcher_start(struct watcher *w, struct watcher_job *job)
{
	err_reset(&job->why_not);
	pthread_mutex_lock(&w->lock);
	w->job = job;
	pthread_cond_signal(&w->given);
	pthread_mutex_unlock(&w->lock);
}

struct watcher_job *
watcher_done(struct watcher *w)
{
	struct watcher_job *job;
	uint64_t count;

	if (read(w->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_line(LOG_ERR, "eventfd: %s", strerror(errno));
	pthread_mutex_lock(&w->lock);
	job = w->done;
	w->done = NULL;
	pthread_mutex_unlock(&w->lock);
	return job;
}
