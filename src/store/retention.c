/* Walks over old payloads in the order of their arrival. */
#include "store/retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

enum {
	PASS_DAYS = 7,		/* a walk begins anew after so long */
	PAUSE_MIN_MS = 5,
	PAUSE_MAX_MS = 1000
};

int
retention_lock(struct tooldb *db, struct err *err)
{
	return tooldb_lock(db, "payloads", "'stripehookctl replay', 'prune' or "
	    "'redact'", err);
}

/* tool_state has "begun received id", all of the last one dealt with. */
static int
recall(struct retention *r, struct err *err)
{
	char value[TOOL_STATE_MAX];
	int64_t now = clock_wall_us();

	r->pass_us = now;
	if (r->anew)
		return 0;
	if (tool_state_get(r->db, r->name, value, err) != 0)
		return -1;
	if (sscanf(value, "%" SCNd64 " %" SCNd64 " %255s", &r->pass_us,
	    &r->after_us, r->after_id) == 3 &&
	    now - r->pass_us < PASS_DAYS * INT64_C(86400000000))
		return 0;
	r->pass_us = now;
	r->after_us = 0;
	r->after_id[0] = '\0';
	return 0;
}

int
retention_begin(struct retention *r, struct err *err)
{
	r->list = mem_calloc(r->batch, sizeof(*r->list));
	return recall(r, err);
}

void
retention_end(struct retention *r)
{
	free(r->list);
	r->list = NULL;
}

static void
copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from != NULL ? from : "");
}

int
retention_next(struct retention *r, struct err *err)
{
	FILE *out = tooldb_sql(r->db);
	MYSQL_RES *res;
	MYSQL_ROW row;

	r->begun_ms = clock_ms();
	/* The order of the tables is that of the walk. */
	fprintf(out, "SELECT STRAIGHT_JOIN p.stripe_event_id, "
	    "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', p.created_at), "
	    "j.status, j.object_id, j.account, j.livemode, LENGTH(p.payload) "
	    "FROM event_payloads p FORCE INDEX (PRIMARY) LEFT JOIN "
	    "event_journal j ON j.stripe_event_id = p.stripe_event_id "
	    "WHERE p.created_at < '1970-01-01' + INTERVAL %" PRId64
	    " MICROSECOND AND p.created_at >= '1970-01-01' + INTERVAL %"
	    PRId64 " MICROSECOND AND (p.created_at > '1970-01-01' + "
	    "INTERVAL %" PRId64 " MICROSECOND OR p.stripe_event_id > ",
	    r->before_us, r->after_us, r->after_us);
	tooldb_text(r->db, r->after_id);
	fprintf(out, ") ORDER BY p.created_at, p.stripe_event_id LIMIT %zu",
	    r->batch);
	if (tooldb_read(r->db, &res, err) != 0)
		return -1;
	for (r->n = 0; r->n < r->batch &&
	    (row = mysql_fetch_row(res)) != NULL; r->n++) {
		struct old_payload *p = &r->list[r->n];

		copy(p->id, sizeof(p->id), row[0]);
		p->received_us = strtoll(row[1], NULL, 10);
		copy(p->status, sizeof(p->status), row[2]);
		copy(p->object_id, sizeof(p->object_id), row[3]);
		copy(p->account, sizeof(p->account), row[4]);
		p->livemode = row[5] != NULL && row[5][0] == '1';
		p->size = strtoul(row[6], NULL, 10);
	}
	mysql_free_result(res);
	return 0;
}

int
retention_done(struct retention *r, struct err *err)
{
	const struct old_payload *last = &r->list[r->n - 1];
	char value[TOOL_STATE_MAX];
	int64_t took;

	r->after_us = last->received_us;
	copy(r->after_id, sizeof(r->after_id), last->id);
	if (r->dry_run)
		return 0;
	snprintf(value, sizeof(value), "%" PRId64 " %" PRId64 " %s",
	    r->pass_us, r->after_us, r->after_id);
	if (tool_state_put(r->db, r->name, value, err) != 0)
		return -1;
	took = clock_ms() - r->begun_ms;
	took = took < PAUSE_MIN_MS ? PAUSE_MIN_MS : took;
	usleep((useconds_t)(took < PAUSE_MAX_MS ? took : PAUSE_MAX_MS) * 1000);
	return 0;
}

void
retention_put_key(struct tooldb *db, FILE *out, const struct old_payload *p)
{
	fprintf(out, "created_at = '1970-01-01' + INTERVAL %" PRId64
	    " MICROSECOND AND stripe_event_id = ", p->received_us);
	tooldb_text(db, p->id);
}

int
retention_payload(struct tooldb *db, const struct old_payload *p,
    char **payload, size_t *len, struct err *err)
{
	FILE *out = tooldb_sql(db);
	MYSQL_RES *res;
	MYSQL_ROW row;

	*payload = NULL;
	*len = 0;
	fputs("SELECT payload FROM event_payloads WHERE ", out);
	retention_put_key(db, out, p);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	if ((row = mysql_fetch_row(res)) != NULL) {
		*len = mysql_fetch_lengths(res)[0];
		*payload = mem_calloc(*len + 1, 1);
		memcpy(*payload, row[0], *len);
	}
	mysql_free_result(res);
	return 0;
}
