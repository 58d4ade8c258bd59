/*
 * Between the parts of rebuild: reading the journal (rebuild_read.c), and what
 * is done with it, for objects (rebuild.c) and shared tables
 * (rebuild_shared.c).
 */
#ifndef STORE_REBUILD_INT_H
#define STORE_REBUILD_INT_H

#include <obstack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/batch.h"
#include "store/db.h"
#include "store/rebuild.h"
#include "store/sql.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

enum {
	PAGE = 200,		/* events that are in memory at a time */
	ID_SIZE = 256,		/* of objects, events and types, with NUL */
	REBUILD_TRIES = 20	/* of what waits for locks of others */
};

/* Where the journal is read from: objects in the order of their ids. */
struct chunk {
	char after[ID_SIZE];	/* the last one of the chunk before */
	char first[ID_SIZE], last[ID_SIZE];
	bool any;
};

/* A page of events and their rows. */
struct page {
	struct obstack mem;
	struct event events[PAGE];
	struct rows rows[PAGE];
	struct entry entries[PAGE], *list[PAGE];
	size_t n;		/* entries with rows */
	size_t read;		/* events read */
	char object[ID_SIZE];	/* of the last one, its time, its id */
	char at[32];
	char id[ID_SIZE];
};

struct work {
	struct rebuild *r;
	struct transaction *tx;
	struct sql sql;		/* the statement in hand */
	struct page page;
	int64_t start_us;	/* what came later is not looked for */
	bool shared;		/* the tables that are in work */
	bool *differs;		/* of each table: some rows do */
	bool *locks;		/* of each table: to be locked */
	int objects;		/* in a chunk: the fewer, the fewer conflicts */
	enum db_class wrote;	/* how the last page went */
	struct differences found;	/* of the chunk in work */
	long events, rows;		/* of the same */
	struct err *err;
};

/* Runs a statement. These return 0, or -1 with the reason in w->err. */
int rebuild_query(struct work *w, const char *sql)
    __attribute__((warn_unused_result));

/* The next objects after c->after. */
int rebuild_next_chunk(struct work *w, struct chunk *c)
    __attribute__((warn_unused_result));

/* Before the first page of a chunk, or of a type (first is ""). */
void rebuild_first_page(struct page *p, const char *first);

/*
 * Reads the next events after the page's last one, of a chunk or (for the
 * shared tables) of a type, and makes their rows of the tables in work.
 */
int rebuild_read_chunk(struct work *w, const struct chunk *c)
    __attribute__((warn_unused_result));
int rebuild_read_type(struct work *w, const char *type)
    __attribute__((warn_unused_result));

/* Empties the page. */
void rebuild_reset_page(struct page *p);

/* Writes the page's rows into the temporary tables. */
int rebuild_write_page(struct work *w) __attribute__((warn_unused_result));

/* Compares the tables in work, or does one thing with each of them. */
int rebuild_compare(struct work *w) __attribute__((warn_unused_result));
int rebuild_each_table(struct work *w, int (*act)(MYSQL *,
    const struct table *, struct err *)) __attribute__((warn_unused_result));

/* What was done in vain is forgotten; what stands is told and counted. */
void rebuild_forget(struct work *w);
void rebuild_tell(struct work *w);

/* After a failure undoes all; tells whether it is worth another try. */
bool rebuild_again(struct work *w) __attribute__((warn_unused_result));

/* The rows of the shared tables. */
int rebuild_shared(struct work *w) __attribute__((warn_unused_result));

#endif
