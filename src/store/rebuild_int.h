/*
 * Between the parts of rebuild: reading the journal (rebuild_read.c), and what
 * is done with it (rebuild.c).
 */
#ifndef STORE_REBUILD_INT_H
#define STORE_REBUILD_INT_H

#include <obstack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/batch.h"
#include "store/rebuild.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

enum { PAGE = 200 };	/* events that are in memory at a time */

/* Where the journal is read from: objects in the order of their ids. */
struct chunk {
	char first[256], last[256];
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
	char object[256], id[256];	/* of the last one */
};

struct work {
	struct rebuild *r;
	struct transaction *tx;
	struct page page;
	int64_t start_us;	/* what came later is not looked for */
	bool shared;		/* the tables that are in work */
	struct err *err;
};

/* Runs a statement. These return 0, or -1 with the reason in w->err. */
int rebuild_query(struct work *w, const char *sql)
    __attribute__((warn_unused_result));

/* Quotes s, at most 255 bytes, for SQL; returns to. */
const char *rebuild_quoted(struct work *w, char to[2 * 255 + 1],
    const char *s);

/* The next objects after c->last. */
int rebuild_next_chunk(struct work *w, struct chunk *c)
    __attribute__((warn_unused_result));

/*
 * Reads the chunk's next events after the page's last one, and makes their
 * rows of the tables in work.
 */
int rebuild_read_page(struct work *w, const struct chunk *c)
    __attribute__((warn_unused_result));

/* Empties the page. */
void rebuild_reset_page(struct page *p);

#endif
