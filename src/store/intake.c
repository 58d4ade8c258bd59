/* Batches what was fetched, and has it written. */
#include "store/intake.h"

#include <obstack.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

enum {
	BATCH_MAX = 100,
	TRIES_MAX = 60,		/* half a minute: another server takes over */
	RETRY_US = 500000
};

struct item {
	struct event event;
	struct rows rows;
	struct entry entry;
	enum outcome mapped;	/* what the mapping said */
};

struct intake {
	const struct config *cfg;
	struct store *store;
	struct obstack mem;
	void *empty;		/* where mem was when nothing was in it */
	struct item items[BATCH_MAX];
	size_t n, cap, bytes;
	struct intake_counts counts;
};

struct intake *
intake_new(const struct config *cfg)
{
	struct intake *in = mem_calloc(1, sizeof(*in));

	in->cfg = cfg;
	in->cap = cfg->batch_max < BATCH_MAX ? (size_t)cfg->batch_max :
	    BATCH_MAX;
	in->store = store_new(cfg, in->cap, 0);
	obstack_init(&in->mem);
	in->empty = obstack_alloc(&in->mem, 1);
	return in;
}

void
intake_free(struct intake *in)
{
	if (in == NULL)
		return;
	for (size_t i = 0; i < in->n; i++)
		event_drop_json(&in->items[i].event);
	store_free(in->store);
	obstack_free(&in->mem, NULL);
	free(in);
}

const struct intake_counts *
intake_counts(const struct intake *in)
{
	return &in->counts;
}

static int
connect_store(struct intake *in, struct err *err)
{
	struct err notes = ERR_INIT;

	return store_connect(in->store, err, &notes);
}

/* As for a delivery: what isn't of the wanted mode is kept, not applied. */
static enum outcome
apply(struct intake *in, struct item *item)
{
	enum livemode have = item->event.livemode ? LIVEMODE_LIVE :
	    LIVEMODE_TEST;

	if (in->cfg->livemode == LIVEMODE_ANY || in->cfg->livemode == have)
		return mapping_apply(&item->rows, &in->mem, &item->event,
		    &in->cfg->user_metadata_keys);
	memset(&item->rows, 0, sizeof(item->rows));
	snprintf(item->rows.reason, sizeof(item->rows.reason),
	    EVENT_OTHER_MODE);
	return OUT_IGNORED;
}

int
intake_add(struct intake *in, const char *body, size_t len,
    enum origin origin, struct err *err)
{
	struct item *item;
	const char *why = "";

	if (connect_store(in, err) != 0)
		return -1;
	if (in->n > 0 && in->bytes + len > store_batch_bytes(in->store) &&
	    intake_flush(in, err) != 0)
		return -1;
	item = &in->items[in->n];
	body = obstack_copy(&in->mem, body, (int)len);
	if (event_parse(&item->event, &in->mem, body, len, &why) != OUT_OK) {
		err_add(err, "what Stripe sent is no event: %s", why);
		return -1;
	}
	item->mapped = apply(in, item);
	event_drop_json(&item->event);
	item->entry = (struct entry){
		.event = &item->event, .rows = &item->rows, .payload = body,
		.payload_len = len, .received_us = clock_wall_us(),
		.origin = origin, .out = item->mapped
	};
	in->bytes += len;
	return ++in->n == in->cap ? intake_flush(in, err) : 0;
}

static bool
is_transient(enum outcome out)
{
	return out == OUT_DB_DOWN || out == OUT_DB_BUSY;
}

/* Writes the entries that aren't yet; returns how many still aren't. */
static size_t
write_rest(struct intake *in, bool done[BATCH_MAX], struct err *err)
{
	struct entry *entries[BATCH_MAX];
	size_t n = 0, left = 0;

	for (size_t i = 0; i < in->n; i++)
		if (!done[i]) {
			in->items[i].entry.out = in->items[i].mapped;
			entries[n++] = &in->items[i].entry;
		}
	store_write(in->store, entries, n, err);
	for (size_t i = 0; i < in->n; i++) {
		done[i] = done[i] || !is_transient(in->items[i].entry.out);
		left += !done[i];
	}
	return left;
}

/* Returns -1 if one of them was not stored. */
static int
count(struct intake *in, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < in->n; i++)
		switch (in->items[i].entry.out) {
		case OUT_FAILED:
			err_add(err, "%s is stored as failed: %s",
			    in->items[i].event.id, in->items[i].rows.reason);
			in->counts.failed++;
			in->counts.stored++;
			break;
		case OUT_OK:
		case OUT_IGNORED:
			in->counts.stored++;
			break;
		case OUT_DUPLICATE:
			in->counts.known++;
			break;
		default:
			rc = -1;
			break;
		}
	return rc;
}

static void
forget(struct intake *in)
{
	in->n = in->bytes = 0;
	obstack_free(&in->mem, in->empty);
	in->empty = obstack_alloc(&in->mem, 1);
}

int
intake_flush(struct intake *in, struct err *err)
{
	struct err why = ERR_INIT;
	bool done[BATCH_MAX] = { false };
	int rc = 0;

	if (in->n == 0)
		return 0;
	for (unsigned tries = 1; write_rest(in, done, &why) > 0 &&
	    tries < TRIES_MAX; tries++) {
		err_reset(&why);
		usleep(RETRY_US);
	}
	rc = count(in, err);
	if (rc != 0)
		err_add(err, "cannot store: %.*s",
		    (int)strcspn(why.text, "\n"), why.text);
	forget(in);
	return rc;
}
