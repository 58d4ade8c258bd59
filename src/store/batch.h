/*
 * One transaction for many events: journal, payloads, rows, links, commit.
 * Tables are written in one fixed order and rows in key order, so that
 * workers can't deadlock each other. Every event comes out with its own
 * outcome, and no outcome that is answered 2xx before the commit is durable.
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/outcome.h"

struct err;
struct event;
struct rows;
struct store;

/* How an event came: event_journal.origin, which counts from 1. */
enum origin { ORIGIN_WEBHOOK, ORIGIN_API, ORIGIN_SNAPSHOT };

/* An event of the journal, whose payload is applied again. */
struct replay {
	const char *status;	/* that it has there */
	const char *error;	/* or NULL */
	bool applied;		/* it is processed, and stays so */
	const char *actor;	/* who replays it */
	int64_t at_us;		/* when */
};

/* What the writer needs of one event; all of it is borrowed. */
struct entry {
	const struct event *event;
	struct rows *rows;	/* rows.reason may be filled */
	const char *payload;
	size_t payload_len;
	int64_t received_us;	/* wall clock, microseconds */
	enum origin origin;
	const struct replay *replay;	/* for store_replay() */
	/*
	 * In: OUT_OK, OUT_IGNORED or OUT_FAILED, as the mapping said. Out:
	 * the same, or OUT_DUPLICATE, OUT_DB_DOWN, OUT_DB_BUSY, OUT_DB_SYSTEM.
	 */
	enum outcome out;
};

/*
 * For batches of at most cap events. first: with which of several database
 * hosts to begin.
 */
struct store *store_new(const struct config *cfg, size_t cap, unsigned first);
void store_free(struct store *store);

/*
 * Connects, if there is no connection. Returns 0, or -1 with the reason in
 * err. Remarks about the server's settings that weaken durability go to
 * notes.
 */
int store_connect(struct store *store, struct err *err, struct err *notes)
    __attribute__((warn_unused_result));

/* Whether there is a connection as far as the last call knows. */
bool store_connected(const struct store *store);

/* Lets the connection go, if there is one. */
void store_disconnect(struct store *store);

/*
 * Asks the server, while there is nothing to write, whether it still is there;
 * lets the connection go if not.
 */
void store_ping(struct store *store);

/* How long the last batch's COMMIT took, in milliseconds; 0 before one. */
int64_t store_commit_ms(const struct store *store);

/* Whether the server is set so that a 2xx would promise too much. */
bool store_is_unsafe(const struct store *store);

/* Bytes of payload that one batch may hold; set by store_connect(). */
size_t store_batch_bytes(const struct store *store);

/*
 * Writes n entries and sets the outcome of each. What went wrong with the
 * database goes to err, a line each.
 */
void store_write(struct store *store, struct entry **entries, size_t n,
    struct err *err);

/*
 * To be said before store_connect(): store_write() calls fn(arg) when what a
 * batch needs is on its way to the database, before it waits for answers:
 * perhaps more than once, perhaps, if there is no connection, not at all.
 */
void store_meanwhile(struct store *store, void (*fn)(void *arg), void *arg);

/*
 * As store_write(), for events that are in the journal: their status follows
 * the outcome, the attempt is recorded, their rows and links are written.
 */
void store_replay(struct store *store, struct entry **entries, size_t n,
    struct err *err);

/*
 * For another thread: ends a batch that is past its deadline by shutting the
 * connection down under it. now_ms as of clock_ms().
 */
void store_watch(struct store *store, int64_t now_ms);

#endif
