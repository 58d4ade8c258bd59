/*
 * Reads events and their payloads batch by batch, and hands them to the
 * writer as if they had just come.
 */
#include "store/replay.h"

#include <obstack.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/attempt.h"
#include "store/batch.h"
#include "store/filter.h"
#include "store/replay_item.h"
#include "store/retention.h"
#include "store/tooldb.h"

enum { BATCH = 64 };

/* What filter_read() wants first, then what an item is made of. */
#define COLUMNS "stripe_event_id, created_at, TIMESTAMPDIFF(MICROSECOND, " \
	"'1970-01-01', created_at), status, error, event_type"

struct replayer {
	const struct config *cfg;
	const char *actor;
	struct tooldb *db;
	struct store *store;
	struct obstack mem;
	struct replay_item items[BATCH];
	size_t n;
	bool skip_dismissed;
	struct replay_counts counts;
};

struct replayer *
replayer_new(const struct config *cfg, const char *actor, struct err *err)
{
	struct replayer *r = mem_calloc(1, sizeof(*r));
	struct err notes = ERR_INIT;

	r->cfg = cfg;
	r->actor = actor;
	obstack_init(&r->mem);
	r->store = store_new(cfg, (size_t)cfg->batch_max, 0);
	if ((r->db = tooldb_new(cfg, err)) != NULL &&
	    retention_lock(r->db, err) == 0 &&
	    store_connect(r->store, err, &notes) == 0)
		return r;
	replayer_free(r);
	return NULL;
}

void
replayer_free(struct replayer *r)
{
	if (r == NULL)
		return;
	store_free(r->store);
	tooldb_free(r->db);
	obstack_free(&r->mem, NULL);
	free(r);
}

const struct replay_counts *
replay_counts(const struct replayer *r)
{
	return &r->counts;
}

static const char *
keep(struct replayer *r, const char *s)
{
	return s == NULL ? NULL : obstack_copy0(&r->mem, s, (int)strlen(s));
}

/* Takes what COLUMNS gave; frees the result. */
static void
take_items(struct replayer *r, MYSQL_RES *res)
{
	MYSQL_ROW row;

	r->n = 0;
	while (r->n < BATCH && (row = mysql_fetch_row(res)) != NULL) {
		struct replay_item *it = &r->items[r->n++];

		*it = (struct replay_item){
			.skip = r->skip_dismissed &&
			    strcmp(row[3], "dismissed") == 0,
			.id = keep(r, row[0]), .type = keep(r, row[5]),
			.received_us = strtoll(row[2], NULL, 10),
			.replay = {
				.status = keep(r, row[3]),
				.error = keep(r, row[4]),
				.applied = strcmp(row[3], "processed") == 0,
				.actor = r->actor,
			},
		};
	}
	mysql_free_result(res);
}

static bool
is_final(enum outcome out)
{
	return out == OUT_OK || out == OUT_IGNORED || out == OUT_FAILED;
}

static int
write_items(struct replayer *r, struct err *err)
{
	size_t room = store_batch_bytes(r->store), bytes = 0, k = 0;
	size_t cap = (size_t)r->cfg->batch_max;
	struct entry *entries[BATCH];

	for (size_t i = 0; i < r->n; i++) {
		struct replay_item *it = &r->items[i];

		if (it->written) {
			entries[k++] = &it->entry;
			bytes += it->len;
		}
		if (k == 0 || (k < cap && bytes < room / 2 && i + 1 < r->n))
			continue;
		if (tooldb_locked(r->db, err) != 0)
			return -1;
		store_replay(r->store, entries, k, err);
		for (size_t j = 0; j < k; j++)
			if (!is_final(entries[j]->out))
				return -1;
		k = bytes = 0;
	}
	return 0;
}

static void
count(struct replay_counts *c, const struct replay_item *it)
{
	if (it->payload == NULL)
		c->gone++;
	else if (!it->written)
		c->redacted++;
	else if (it->entry.out == OUT_FAILED)
		c->failed++;
	else if (it->entry.out == OUT_IGNORED)
		c->ignored++;
	else if (it->replay.applied)
		c->again++;
	else
		c->processed++;
}

static void
say(struct replayer *r, const struct replay_item *it, replay_said *said,
    void *arg)
{
	struct replay_result result = { .id = it->id, .type = it->type,
	    .before = it->replay.status, .after = it->replay.status,
	    .received_us = it->received_us };

	if (it->payload == NULL) {
		result.error = "its payload is gone (pruned)";
	} else if (!it->written) {
		result.error = "its payload was redacted; its rows stay as "
		    "they are";
	} else {
		result.tried = true;
		result.after = attempt_status(&it->entry);
		result.error = it->rows.reason;
	}
	count(&r->counts, it);
	said(arg, &result);
}

/* Replays the items in hand and forgets them. */
static int
do_batch(struct replayer *r, replay_said *said, void *arg, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < r->n && rc == 0; i++)
		if (!r->items[i].skip)
			rc = replay_item_prepare(&r->items[i], r->db,
			    r->cfg, &r->mem, err);
	if (rc == 0)
		rc = write_items(r, err);
	for (size_t i = 0; i < r->n && rc == 0; i++)
		if (!r->items[i].skip)
			say(r, &r->items[i], said, arg);
	obstack_free(&r->mem, NULL);
	obstack_init(&r->mem);
	return rc;
}

static bool
has_item(const struct replayer *r, const char *id)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->items[i].id, id) == 0)
			return true;
	return false;
}

int
replay_ids(struct replayer *r, char *const *ids, size_t n, replay_said *said,
    void *arg, struct err *err)
{
	MYSQL_RES *res;

	for (size_t done = 0, k; done < n; done += k) {
		FILE *out = tooldb_sql(r->db);

		k = n - done < BATCH ? n - done : BATCH;
		fputs("SELECT " COLUMNS " FROM event_journal WHERE "
		    "stripe_event_id IN (''", out);
		for (size_t i = 0; i < k; i++) {
			fputs(", ", out);
			tooldb_text(r->db, ids[done + i]);
		}
		fputs(") ORDER BY created_at, stripe_event_id", out);
		if (tooldb_read(r->db, &res, err) != 0)
			return -1;
		take_items(r, res);
		for (size_t i = 0; i < k; i++)
			if (!has_item(r, ids[done + i])) {
				r->counts.missing++;
				said(arg, &(struct replay_result){
				    .id = ids[done + i], .error =
				    "there is no such event" });
			}
		if (do_batch(r, said, arg, err) != 0)
			return -1;
	}
	return 0;
}

int
replay_filter(struct replayer *r, const struct filter *filter,
    replay_said *said, void *arg, struct err *err)
{
	struct filter f = *filter;
	char after[256];
	MYSQL_RES *res;

	r->skip_dismissed = f.status == NULL;
	f.newest = false;
	f.limit = BATCH;
	f.until_us = clock_wall_us();
	do {
		if (filter_read(r->db, &f, COLUMNS, &res, err) != 0)
			return -1;
		take_items(r, res);
		if (r->n == 0)
			return 0;
		f.after_us = r->items[r->n - 1].received_us;
		snprintf(after, sizeof(after), "%s", r->items[r->n - 1].id);
		f.after_id = after;
		if (do_batch(r, said, arg, err) != 0)
			return -1;
	} while (true);
}
