/* Compares a row that an event makes with the one that is stored. */
#include "store/claim.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/tooldb.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

static void
put_hex(FILE *out, const unsigned char *bytes, size_t len)
{
	fputs("X'", out);
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%02x", bytes[i]);
	putc('\'', out);
}

/* Whether a column that no newest snapshot decides has this row's value. */
static void
put_part(FILE *out, const struct row *row)
{
	const struct table *t = row->table;

	fputs("0", out);
	for (size_t i = 0; i < t->ncols; i++)
		/* Of those that there are all are times. */
		if (t->cols[i].merge == MERGE_LEAST &&
		    row->values[i].type == VALUE_TIME)
			fprintf(out, " OR t.`%s` = '1970-01-01' + INTERVAL %"
			    PRId64 " SECOND", t->cols[i].name,
			    row->values[i].i);
	if (t->has_price_key && row->price_key_len > 0) {
		fputs(" OR t.price_order_key = ", out);
		put_hex(out, row->price_key, row->price_key_len);
	}
}

static void
put_select(struct tooldb *db, const struct row *row, const struct event *ev)
{
	const struct table *t = row->table;
	FILE *out = tooldb_sql(db);
	const char *and = "";

	fputs("SELECT t.source_event_id, t.order_key = ", out);
	put_hex(out, row->order_key, row->order_key_len);
	fprintf(out, ", t.ties > 0 AND COALESCE((SELECT j.created FROM "
	    "event_journal j WHERE j.stripe_event_id = t.source_event_id) = "
	    "'1970-01-01' + INTERVAL %" PRId64 " SECOND, 1), ", ev->created);
	put_part(out, row);
	fprintf(out, " FROM `%s` t WHERE ", t->name);
	for (size_t i = 0; i < t->ncols; i++)
		if ((t->cols[i].flags & COL_KEY) != 0) {
			fprintf(out, "%st.`%s` = ", and, t->cols[i].name);
			tooldb_bytes(db, row->values[i].s,
			    row->values[i].len);
			and = " AND ";
		}
	if (t->account_key) {
		fputs(" AND t.account = ", out);
		tooldb_text(db, ev->account);
		fprintf(out, " AND t.livemode = %d", ev->livemode);
	}
}

int
claim_read(struct tooldb *db, const struct row *row, const struct event *ev,
    struct claim_state *state, struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW r;

	memset(state, 0, sizeof(*state));
	put_select(db, row, ev);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	if ((r = mysql_fetch_row(res)) != NULL) {
		state->there = true;
		snprintf(state->source, sizeof(state->source), "%s", r[0]);
		state->decides = strcmp(r[0], ev->id) == 0;
		state->tied = r[1][0] == '1' || r[2][0] == '1';
		state->part = r[3] != NULL && r[3][0] == '1';
	}
	mysql_free_result(res);
	return 0;
}
