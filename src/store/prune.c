/* Judges old payloads one by one, and deletes a batch in one statement. */
#include "store/prune.h"

#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/claim.h"
#include "store/retention.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

const char *const prune_fates[PRUNE__MAX] = {
	[PRUNE_DELETED] = "deleted",
	[PRUNE_DECIDING] = "deciding",
	[PRUNE_FAILED] = "failed",
	[PRUNE_MARKED] = "marked",
	[PRUNE_UNCLEAR] = "unclear",
};

static int
is_marked(struct tooldb *db, const struct old_payload *p, bool *marked,
    struct err *err)
{
	FILE *out = tooldb_sql(db);
	MYSQL_RES *res;

	fputs("SELECT 1 FROM reconcile_marks WHERE open AND object_id = ",
	    out);
	tooldb_text(db, p->object_id);
	fputs(" AND account = ", out);
	tooldb_text(db, p->account);
	fprintf(out, " AND livemode = %d", p->livemode);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	*marked = mysql_num_rows(res) > 0;
	mysql_free_result(res);
	return 0;
}

/* Whether any row needs the event. A row that isn't there may yet. */
static int
judge_rows(struct prune *p, const struct event *ev, const struct rows *rows,
    enum prune_fate *fate, struct err *err)
{
	struct claim_state state;

	*fate = PRUNE_DELETED;
	for (size_t i = 0; i < rows->n && *fate == PRUNE_DELETED; i++) {
		if (claim_read(p->db, &rows->row[i], ev, &state, err) != 0)
			return -1;
		if (!state.there || state.decides || state.tied || state.part)
			*fate = PRUNE_DECIDING;
	}
	return 0;
}

/* Makes the event's rows again, to know them by name. */
static int
judge_payload(struct prune *p, const struct old_payload *old,
    enum prune_fate *fate, struct err *err)
{
	struct event ev;
	struct rows rows;
	struct obstack mem;
	const char *why;
	char *payload;
	size_t len;
	int rc = 0;

	*fate = PRUNE_UNCLEAR;
	if (retention_payload(p->db, old, &payload, &len, err) != 0)
		return -1;
	if (payload == NULL)
		return 0;
	obstack_init(&mem);
	if (event_parse(&ev, &mem, payload, len, &why) == OUT_OK) {
		if (mapping_apply(&rows, &mem, &ev,
		    &p->cfg->user_metadata_keys) == OUT_OK)
			rc = judge_rows(p, &ev, &rows, fate, err);
		event_drop_json(&ev);
	}
	obstack_free(&mem, NULL);
	free(payload);
	return rc;
}

static int
judge(struct prune *p, const struct old_payload *old, enum prune_fate *fate,
    struct err *err)
{
	bool marked = false;

	*fate = PRUNE_DELETED;
	if (strcmp(old->status, "failed") == 0)
		*fate = PRUNE_FAILED;
	else if (old->status[0] == '\0')
		*fate = PRUNE_UNCLEAR;
	else if (strcmp(old->status, "processed") == 0) {
		if (is_marked(p->db, old, &marked, err) != 0)
			return -1;
		*fate = PRUNE_MARKED;
		if (!marked)
			return judge_payload(p, old, fate, err);
	}
	return 0;
}

static int
delete_list(struct tooldb *db, const struct old_payload *const *list, size_t n,
    struct err *err)
{
	FILE *out = tooldb_sql(db);

	fputs("DELETE FROM event_payloads WHERE 0", out);
	for (size_t i = 0; i < n; i++) {
		fputs(" OR (", out);
		retention_put_key(db, out, list[i]);
		putc(')', out);
	}
	if (tooldb_run(db, err) != 0)
		return -1;
	out = tooldb_sql(db);
	fputs("DELETE FROM redactions WHERE stripe_event_id IN (''", out);
	for (size_t i = 0; i < n; i++) {
		fputs(", ", out);
		tooldb_text(db, list[i]->id);
	}
	putc(')', out);
	return tooldb_run(db, err);
}

static int
do_batch(struct prune *p, const struct retention *r, struct err *err)
{
	const struct old_payload **doomed = mem_calloc(r->n,
	    sizeof(const struct old_payload *));
	enum prune_fate fate;
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < r->n && rc == 0; i++) {
		if ((rc = judge(p, &r->list[i], &fate, err)) != 0)
			break;
		p->counts[fate]++;
		p->at_us = r->list[i].received_us;
		if (fate != PRUNE_DELETED)
			continue;
		p->bytes += r->list[i].size;
		doomed[n++] = &r->list[i];
	}
	if (rc == 0 && n > 0 && !p->dry_run)
		rc = delete_list(p->db, doomed, n, err);
	free(doomed);
	return rc;
}

int
prune_run(struct prune *p, struct err *err)
{
	struct retention r = { .db = p->db, .name = "prune",
	    .before_us = p->before_us, .batch = p->batch,
	    .dry_run = p->dry_run, .anew = p->anew };
	int rc = retention_begin(&r, err);

	while (rc == 0 && (rc = retention_next(&r, err)) == 0 && r.n > 0) {
		if ((rc = do_batch(p, &r, err)) == 0)
			rc = retention_done(&r, err);
		if (p->progress != NULL)
			p->progress(p);
	}
	retention_end(&r);
	return rc;
}
