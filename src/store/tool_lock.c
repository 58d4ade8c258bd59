/* A server's own lock, or a row; a thread sees that it stays ours. */
#include "store/tool_lock.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

enum {
	TRIES = 5,		/* of a statement that met a conflict */
	FRESH_MS = 5000,	/* for so long it stays ours unasked */
	BLIND_MAX = 20,		/* looks that fail, in a row */
	SQL_MAX = 1024		/* bytes of a statement */
};

struct tool_lock {
	const struct config *cfg;
	enum db_role role;
	const char *name, *others;
	char holder[128];	/* who we are; it needs no quoting */
	MYSQL *mysql;
	bool row;		/* on a cluster */

	bool ticking;		/* there is the thread */
	pthread_t thread;
	pthread_mutex_t mutex;	/* of what follows */
	pthread_cond_t wake, seen;
	bool ended, lost;
	int64_t ours_ms;	/* when it was, surely */
};

/* What the row says. */
struct sign {
	char holder[128];	/* "": nobody */
	char at[32];		/* when it moved last */
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

/* Tells how many rows a statement changed, or -1 with err. */
static int
change(struct tool_lock *l, const char *sql, struct err *err)
{
	return run(l, sql, err) == 0 ? (int)mysql_affected_rows(l->mysql) : -1;
}

/* The first row of a query, which may be NULL, in *res. */
static int
ask(struct tool_lock *l, const char *sql, MYSQL_RES **res, MYSQL_ROW *row,
    struct err *err)
{
	if (run(l, sql, err) != 0)
		return -1;
	if ((*res = mysql_store_result(l->mysql)) == NULL)
		return failed(l, err);
	*row = mysql_fetch_row(*res);
	return 0;
}

static void
say_busy(const struct tool_lock *l, const char *holder, struct err *err)
{
	err_add(err, "another %s is running%s%s%s; wait for its end",
	    l->others, holder[0] != '\0' ? " (" : "", holder,
	    holder[0] != '\0' ? ")" : "");
}

#define SERVERS_NAME "LEFT(CONCAT('stripehook.%s.', DATABASE()), 64)"

/* Whether a query's only value is 1: 1, 0, or -1 with err. */
static int
is_one(struct tool_lock *l, const char *sql, struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;
	int one;

	if (ask(l, sql, &res, &row, err) != 0)
		return -1;
	one = row != NULL && row[0] != NULL && strcmp(row[0], "1") == 0;
	mysql_free_result(res);
	return one;
}

/* A server by itself. Returns 0 or -1. */
static int
take_server(struct tool_lock *l, int wait_s, FILE *out, struct err *err)
{
	char sql[SQL_MAX];
	int got = 0;

	for (int s = 0; got == 0 && s <= wait_s; s++) {
		snprintf(sql, sizeof(sql), "SELECT GET_LOCK(" SERVERS_NAME
		    ", %d)", l->name, s > 0);
		l->ours_ms = clock_ms();
		got = is_one(l, sql, err);
		if (got == 0 && s == 0 && wait_s > 0)
			fprintf(out, "waiting for another %s\n", l->others);
	}
	if (got == 0)
		say_busy(l, "", err);
	return got == 1 ? 0 : -1;
}

/* Asking keeps the connection, and so the lock. Returns 1, 0 or -1. */
static int
ask_server(struct tool_lock *l, struct err *err)
{
	char sql[SQL_MAX];

	snprintf(sql, sizeof(sql), "SELECT IS_USED_LOCK(" SERVERS_NAME
	    ") = CONNECTION_ID()", l->name);
	return is_one(l, sql, err);
}

/* Reads what the row says now. */
static int
look(struct tool_lock *l, struct sign *sign, struct err *err)
{
	char sql[SQL_MAX];
	MYSQL_RES *res;
	MYSQL_ROW row;

	snprintf(sql, sizeof(sql), "SELECT value, updated_at FROM tool_state "
	    "WHERE name = 'lock.%s'", l->name);
	if (ask(l, sql, &res, &row, err) != 0)
		return -1;
	snprintf(sign->holder, sizeof(sign->holder), "%s",
	    row != NULL ? row[0] : "");
	snprintf(sign->at, sizeof(sign->at), "%s", row != NULL ? row[1] : "");
	mysql_free_result(res);
	return 0;
}

/* Puts us into the row, unless it has moved. Returns 1, 0 or -1. */
static int
seize(struct tool_lock *l, const struct sign *seen, struct err *err)
{
	char sql[SQL_MAX];

	if (seen->at[0] == '\0')
		snprintf(sql, sizeof(sql), "INSERT IGNORE INTO tool_state "
		    "(name, value, updated_at) VALUES ('lock.%s', '%s', "
		    "UTC_TIMESTAMP(6))", l->name, l->holder);
	else
		snprintf(sql, sizeof(sql), "UPDATE tool_state SET value = "
		    "'%s', updated_at = UTC_TIMESTAMP(6) WHERE "
		    "name = 'lock.%s' AND value = '%s' AND updated_at = '%s'",
		    l->holder, l->name, seen->holder, seen->at);
	l->ours_ms = clock_ms();
	return change(l, sql, err);
}

/* After a look that failed: whether the next one may bring something. */
static bool
may_look_again(struct tool_lock *l, struct err *err)
{
	enum db_class class = db_class_of(l->mysql);

	if (class == DB_RECONNECT) {
		mysql_close(l->mysql);
		l->mysql = db_connect(l->cfg, l->role, l->cfg->db_name, 0,
		    err);
	} else if (class != DB_RETRY) {
		return false;
	}
	return l->mysql != NULL;
}

/*
 * A cluster. Seconds are counted by looks, each after a pause: what holds all
 * statements up (DDL, a lost node) holds the holder's signs up, too.
 */
static int
take_row(struct tool_lock *l, int wait_s, FILE *out, struct err *err)
{
	struct sign before = { "", "" }, now;
	int still = 0;		/* looks since it moved */
	int moves = 0;		/* that were seen */
	int blind = 0, seen = 0, rc;

	for (int looks = 0; ; looks++) {
		if (look(l, &now, err) != 0) {
			if (++blind > BLIND_MAX || !may_look_again(l, err))
				return -1;
			still = 0;
			sleep(1);
			continue;
		}
		err_reset(err);
		blind = 0;
		if (seen > 0 && strcmp(now.at, before.at) == 0) {
			still++;
		} else {
			still = 0;
			moves += seen > 0;
		}
		if (now.holder[0] == '\0' || still == TOOL_LOCK_DEAD) {
			if ((rc = seize(l, &now, err)) != 0)
				return rc < 0 ? -1 : 0;
		} else if (moves > 0 && looks >= wait_s) {
			say_busy(l, now.holder, err);
			return -1;
		} else if (seen == 0) {
			fprintf(out, "waiting for another %s (%s)\n",
			    l->others, now.holder);
		}
		before = now;
		seen++;
		sleep(1);
	}
}

/* A sign of life. Returns whether it is ours: 1, 0 or -1. */
static int
move(struct tool_lock *l, struct err *err)
{
	char sql[SQL_MAX];

	snprintf(sql, sizeof(sql), "UPDATE tool_state SET updated_at = "
	    "UTC_TIMESTAMP(6) WHERE name = 'lock.%s' AND value = '%s'",
	    l->name, l->holder);
	return change(l, sql, err);
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
		ours = l->row ? move(l, &err) : ask_server(l, &err);
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
	if ((l->row ? take_row(l, wait_s, out, err) :
	    take_server(l, wait_s, out, err)) != 0)
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

/* Nobody shall wait until we are seen to be dead. */
static void
give_back(struct tool_lock *l)
{
	struct err err = ERR_INIT;
	char sql[SQL_MAX];

	pthread_mutex_lock(&l->mutex);
	l->ended = true;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->mutex);
	pthread_join(l->thread, NULL);
	if (!l->row)
		return;
	snprintf(sql, sizeof(sql), "UPDATE tool_state SET value = '', "
	    "updated_at = UTC_TIMESTAMP(6) WHERE name = 'lock.%s' AND "
	    "value = '%s'", l->name, l->holder);
	if (l->mysql != NULL)
		(void)change(l, sql, &err);
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
