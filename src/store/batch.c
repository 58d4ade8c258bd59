/* When to connect, what to repeat, whom to give up: the policy of a batch. */
#include "store/batch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/server.h"
#include "store/transaction.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

enum {
	TRIES_MAX = 6,		/* of one transaction, deadlocks included */
	RETRY_STEP_US = 2000	/* the n-th retry waits up to n steps */
};

struct store {
	const struct config *cfg;
	size_t cap;
	unsigned host;		/* where the next connect begins */
	MYSQL *mysql;
	size_t batch_bytes;
	bool unsafe;		/* by settings of the server */
	struct server_trail trail;	/* of a connection that was lost */

	struct transaction *tx;	/* the connection's statements */
	transaction_fn *write;	/* what is done with the entries in hand */
	struct meanwhile meanwhile;

	/* What store_watch() needs, under the mutex. */
	pthread_mutex_t watch;
	int fd;				/* of the connection, or -1 */
	int64_t deadline_ms;		/* 0: no batch in hand */
};

struct store *
store_new(const struct config *cfg, size_t cap, unsigned first)
{
	struct store *store = mem_calloc(1, sizeof(*store));

	store->cfg = cfg;
	store->cap = cap;
	store->host = first;
	store->fd = -1;
	pthread_mutex_init(&store->watch, NULL);
	return store;
}

static void
set_watch(struct store *store, int fd, int64_t deadline_ms)
{
	pthread_mutex_lock(&store->watch);
	store->fd = fd;
	store->deadline_ms = deadline_ms;
	pthread_mutex_unlock(&store->watch);
}

void
store_watch(struct store *store, int64_t now_ms)
{
	pthread_mutex_lock(&store->watch);
	if (store->fd >= 0 && store->deadline_ms != 0 &&
	    now_ms > store->deadline_ms)
		shutdown(store->fd, SHUT_RDWR);
	pthread_mutex_unlock(&store->watch);
}

void
store_disconnect(struct store *store)
{
	if (store->mysql == NULL)
		return;
	/* The descriptor must not be shut down once it may be another's. */
	set_watch(store, -1, store->deadline_ms);
	transaction_free(store->tx);
	store->tx = NULL;
	server_trail_keep(&store->trail, store->mysql);
	mysql_close(store->mysql);
	store->mysql = NULL;
	store->host++;
}

void
store_free(struct store *store)
{
	if (store == NULL)
		return;
	store_disconnect(store);
	pthread_mutex_destroy(&store->watch);
	free(store);
}

bool
store_connected(const struct store *store)
{
	return store->mysql != NULL;
}

void
store_ping(struct store *store)
{
	if (store->mysql == NULL)
		return;
	set_watch(store, store->fd, clock_ms() + DB_DEADLINE * INT64_C(1000));
	if (mysql_ping(store->mysql) != 0)
		store_disconnect(store);
	set_watch(store, store->fd, 0);
}

int64_t
store_commit_ms(const struct store *store)
{
	return store->tx != NULL ? transaction_commit_ms(store->tx) : 0;
}

void
store_meanwhile(struct store *store, void (*fn)(void *arg), void *arg)
{
	store->meanwhile = (struct meanwhile){ fn, arg };
}

bool
store_is_unsafe(const struct store *store)
{
	return store->unsafe;
}

size_t
store_batch_bytes(const struct store *store)
{
	return store->batch_bytes;
}

int
store_connect(struct store *store, struct err *err, struct err *notes)
{
	struct server_facts facts;
	unsigned before;

	if (store->mysql != NULL)
		return 0;
	store->mysql = db_connect(store->cfg, DB_ROLE_INGEST,
	    store->cfg->db_name, store->host, err);
	if (store->mysql == NULL)
		return -1;
	set_watch(store, mysql_get_socket(store->mysql), store->deadline_ms);
	server_trail_clear(&store->trail, store->mysql);
	if (server_facts_read(&facts, store->mysql, err) != 0)
		goto fail;
	before = notes->count;
	server_facts_notes(&facts, store->cfg, notes);
	store->unsafe = notes->count > before;
	store->batch_bytes = facts.max_allowed_packet / 2;
	store->tx = transaction_new(store->mysql, store->cap,
	    &store->cfg->user_metadata_keys, "");
	if (store->tx != NULL) {
		transaction_meanwhile(store->tx, store->meanwhile);
		return 0;
	}
	db_says(store->mysql, "database", err);
fail:
	store_disconnect(store);
	return -1;
}

static bool
time_is_left(const struct store *store)
{
	return clock_ms() < store->deadline_ms;
}

/*
 * The transaction until it stands, time or tries run out, or an error comes
 * that repeating won't mend. A lost connection is made anew once.
 */
static enum db_class
write_all(struct store *store, struct entry **e, size_t n, struct err *err)
{
	struct err notes = ERR_INIT;
	enum db_class class = DB_RECONNECT;
	bool reconnected = false;

	for (unsigned tries = 1; tries <= TRIES_MAX; tries++) {
		if (!time_is_left(store))
			return class;
		if (store_connect(store, err, &notes) != 0)
			return DB_RECONNECT;
		class = store->write(store->tx, e, n, err);
		if (class == DB_RETRY) {
			/* The clock's last digits differ from worker to worker. */
			usleep((useconds_t)(clock_wall_us() %
			    (tries * RETRY_STEP_US)));
		} else if (class == DB_RECONNECT) {
			store_disconnect(store);
			if (reconnected)
				return class;
			reconnected = true;
		} else {
			break;
		}
	}
	/* Rights and tables are looked up anew by a new connection. */
	if (class == DB_SYSTEM)
		store_disconnect(store);
	return class;
}

/* Gives each entry the outcome that the transaction's end means for it. */
static void
settle(struct store *store, struct entry **e, size_t n, enum db_class class)
{
	for (size_t i = 0; i < n; i++)
		switch (class) {
		case DB_OK:
			if (transaction_deliveries(store->tx, i) > 1)
				e[i]->out = OUT_DUPLICATE;
			break;
		case DB_RETRY:
			e[i]->out = OUT_DB_BUSY;
			break;
		case DB_RECONNECT:
			e[i]->out = OUT_DB_DOWN;
			break;
		case DB_DATA:
		case DB_SYSTEM:
			e[i]->out = OUT_DB_SYSTEM;
			break;
		}
}

/* Writes one event whose rows the database may refuse. */
static void
write_one(struct store *store, struct entry *e, struct err *err)
{
	struct err why = ERR_INIT;
	enum db_class class = write_all(store, &e, 1, &why);

	if (class == DB_DATA && e->out == OUT_OK) {
		/* Stripe's repeating it won't help: keep it, and say why. */
		snprintf(e->rows->reason, sizeof(e->rows->reason), "%.*s",
		    (int)strcspn(why.text, "\n"), why.text);
		e->out = OUT_FAILED;
		err_reset(&why);
		class = write_all(store, &e, 1, &why);
	}
	if (why.len > 0)
		err_add(err, "%.*s", (int)strcspn(why.text, "\n"), why.text);
	settle(store, &e, 1, class);
}

static int
compare_entry(const void *pa, const void *pb)
{
	const struct entry *const *a = pa, *const *b = pb;

	return strcmp((*a)->event->id, (*b)->event->id);
}

static void
write_by(struct store *store, transaction_fn *write, struct entry **e,
    size_t n, struct err *err)
{
	struct err why = ERR_INIT;
	enum db_class class;

	store->write = write;
	qsort(e, n, sizeof(struct entry *), compare_entry);
	set_watch(store, store->fd, clock_ms() + DB_DEADLINE * INT64_C(1000));
	class = write_all(store, e, n, &why);
	/* One event may spoil the others' batch; then each goes alone. */
	if (class == DB_DATA || (class == DB_RECONNECT && n > 1 &&
	    time_is_left(store) && store_connect(store, err, &why) == 0)) {
		for (size_t i = 0; i < n; i++)
			write_one(store, e[i], err);
	} else {
		if (class != DB_OK && why.len > 0)
			err_add(err, "%.*s", (int)strcspn(why.text, "\n"),
			    why.text);
		settle(store, e, n, class);
	}
	set_watch(store, store->fd, 0);
}

void
store_write(struct store *store, struct entry **e, size_t n, struct err *err)
{
	write_by(store, transaction_try, e, n, err);
}

void
store_replay(struct store *store, struct entry **e, size_t n, struct err *err)
{
	write_by(store, transaction_replay, e, n, err);
}
