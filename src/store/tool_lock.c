/* A thread sees that a lock stays ours. */
#include <ctype.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/tool_lock_int.h"

enum {
	TRIES = 5,		/* of a statement that met a conflict */
	FRESH_MS = 5000		/* for so long it stays ours unasked */
};

/* As nobody else, nor this process another time. */
static void
introduce(char *holder, size_t size)
{
	char host[65] = "", time[32];
	int64_t us = clock_wall_us();
	time_t s = (time_t)(us / 1000000);
	struct tm tm;

	gethostname(host, sizeof(host) - 1);
	for (char *p = host; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && *p != '.' && *p != '-')
			*p = '-';
	strftime(time, sizeof(time), "%F %T", gmtime_r(&s, &tm));
	snprintf(holder, size, "%s, process %d, since %s.%06d UTC", host,
	    getpid(), time, (int)(us % 1000000));
}

static int
failed(struct tool_lock *l, struct err *err)
{
	char what[64];

	snprintf(what, sizeof(what), "lock %s", l->name);
	(void)db_failed(l->mysql, what, err);
	return -1;
}

static int
run(struct tool_lock *l, const char *sql, struct err *err)
{
	int tries = TRIES;

	while (mysql_query(l->mysql, sql) != 0)
		if (db_class_of(l->mysql) != DB_RETRY || --tries == 0)
			return failed(l, err);
	return 0;
}

int
tool_lock_change(struct tool_lock *l, const char *sql, struct err *err)
{
	return run(l, sql, err) == 0 ? (int)mysql_affected_rows(l->mysql) : -1;
}

int
tool_lock_query(struct tool_lock *l, const char *sql, MYSQL_RES **res,
    MYSQL_ROW *row, struct err *err)
{
	if (run(l, sql, err) != 0)
		return -1;
	if ((*res = mysql_store_result(l->mysql)) == NULL)
		return failed(l, err);
	*row = mysql_fetch_row(*res);
	return 0;
}

void
tool_lock_busy(const struct tool_lock *l, const char *holder, struct err *err)
{
	err_add(err, "another %s is running%s%s%s; wait for its end",
	    l->others, holder[0] != '\0' ? " (" : "", holder,
	    holder[0] != '\0' ? ")" : "");
}

/* A server's lock ends with its connection, a row stands on other nodes. */
static void
see(struct tool_lock *l)
{
	struct err err = ERR_INIT;
	int64_t now_ms = clock_ms();
	int ours = -1;

	if (l->mysql == NULL)
		l->mysql = db_connect(l->cfg, l->role, l->cfg->db_name, 0,
		    &err);
	if (l->mysql != NULL)
		ours = l->row ? lock_row_keep(l, &err) :
		    lock_server_keep(l, &err);
	if (l->mysql != NULL && ours < 0) {
		mysql_close(l->mysql);
		l->mysql = NULL;
	}
	pthread_mutex_lock(&l->mutex);
	if (ours > 0)
		l->ours_ms = now_ms;
	else if (ours == 0 || !l->row)
		l->lost = true;
	pthread_cond_signal(&l->seen);
	pthread_mutex_unlock(&l->mutex);
}

static bool
wait_second(struct tool_lock *l)
{
	struct timespec until;
	bool ended;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_mutex_lock(&l->mutex);
	while (!l->ended &&
	    pthread_cond_timedwait(&l->wake, &l->mutex, &until) == 0)
		;
	ended = l->ended;
	pthread_mutex_unlock(&l->mutex);
	return !ended;
}

static void *
tick(void *arg)
{
	struct tool_lock *l = arg;

	while (wait_second(l))
		see(l);
	mysql_thread_end();
	return NULL;
}

static int
take(struct tool_lock *l, int wait_s, FILE *out, struct err *err)
{
	l->mysql = db_connect(l->cfg, l->role, l->cfg->db_name, 0, err);
	if (l->mysql == NULL)
		return -1;
	l->row = db_is_clustered(l->mysql);
	if ((l->row ? lock_row_take(l, wait_s, out, err) :
	    lock_server_take(l, wait_s, out, err)) != 0)
		return -1;
	l->ticking = pthread_create(&l->thread, NULL, tick, l) == 0;
	if (l->ticking)
		return 0;
	err_add(err, "lock %s: no thread", l->name);
	return -1;
}

struct tool_lock *
tool_lock_take(const struct config *cfg, enum db_role role, const char *name,
    const char *others, int wait_s, FILE *out, struct err *err)
{
	struct tool_lock *l = mem_calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	l->cfg = cfg;
	l->role = role;
	l->name = name;
	l->others = others;
	introduce(l->holder, sizeof(l->holder));
	pthread_mutex_init(&l->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->wake, &attr);
	pthread_cond_init(&l->seen, &attr);
	pthread_condattr_destroy(&attr);
	if (take(l, wait_s, out, err) == 0)
		return l;
	tool_lock_free(l);
	return NULL;
}

int
tool_lock_held(struct tool_lock *l, struct err *err)
{
	struct timespec until;
	bool ours;

	if (l == NULL)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TOOL_LOCK_DEAD;
	pthread_mutex_lock(&l->mutex);
	/* It may have been stopped for a while, or a statement held all up. */
	while (!(ours = clock_ms() - l->ours_ms < FRESH_MS) && !l->lost &&
	    pthread_cond_timedwait(&l->seen, &l->mutex, &until) == 0)
		;
	ours = ours && !l->lost;
	pthread_mutex_unlock(&l->mutex);
	if (ours)
		return 0;
	err_add(err, "lock %s: lost with the connection to the database, or "
	    "another %s took it since there was no sign of life; run it again",
	    l->name, l->others);
	return -1;
}

static void
give_back(struct tool_lock *l)
{
	pthread_mutex_lock(&l->mutex);
	l->ended = true;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->mutex);
	pthread_join(l->thread, NULL);
	if (l->row)
		lock_row_leave(l);
}

void
tool_lock_free(struct tool_lock *l)
{
	if (l == NULL)
		return;
	if (l->ticking)
		give_back(l);
	if (l->mysql != NULL)
		mysql_close(l->mysql);
	pthread_cond_destroy(&l->seen);
	pthread_cond_destroy(&l->wake);
	pthread_mutex_destroy(&l->mutex);
	free(l);
}
