/* Makes and feeds the upserts of the object tables. */
#include "store/upsert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/stmt.h"
#include "stripe/event.h"
#include "stripe/mapping.h"
#include "stripe/order.h"

/* What every object table has besides its mapped columns, in this order. */
enum {
	EXTRA_ACCOUNT, EXTRA_LIVEMODE, EXTRA_SOURCE, EXTRA_ORDER, EXTRA_TIES,
	EXTRA_PRICE
};

#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number

/* When what comes replaces the row, and the ties that the row then has. */
static const struct mode {
	const char *newer, *ties;
	const char *newer_price;	/* of what prices alone know */
} modes[] = {
	[UPSERT_NEWER] = {
	    "(VALUES(order_key) > order_key OR "
	    "(VALUES(order_key) = order_key AND "
	    "VALUES(source_event_id) > source_event_id))",
	    "IF(VALUES(order_key) > order_key, "
	    "IF(ties MOD 2000000000 > 0, 1000000000, 0), "
	    "ties MOD 2000000000 + (VALUES(order_key) = order_key AND "
	    "VALUES(source_event_id) <> source_event_id))",
	    "VALUES(price_order_key) > price_order_key" },
	[UPSERT_DECIDED] = {
	    "VALUES(order_key) >= order_key",
	    "IF(VALUES(order_key) >= order_key, VALUES(ties), ties)",
	    "LEFT(VALUES(price_order_key), " TEXT(ORDER_PRICE_WIDTH) ") >= "
	    "LEFT(price_order_key, " TEXT(ORDER_PRICE_WIDTH) ")" },
};

static void
put_columns(FILE *out, const struct table *t)
{
	for (size_t i = 0; i < t->ncols; i++)
		fprintf(out, "`%s`, ", t->cols[i].name);
	fprintf(out, "account, livemode, source_event_id, order_key, ties%s",
	    t->has_price_key ? ", price_order_key" : "");
}

static void
put_values(FILE *out, const struct table *t)
{
	for (size_t i = 0; i < t->ncols; i++)
		/* FROM_UNIXTIME() is NULL past 2038. From a text the sum would
		   be a text, which is read again to be stored. */
		fputs(t->cols[i].type == COL_TIME ?
		    "TIMESTAMP'1970-01-01 00:00:00' + INTERVAL ? SECOND, " :
		    "?, ", out);
	fprintf(out, "?, ?, ?, ?, LAST_INSERT_ID(?)%s",
	    t->has_price_key ? ", ?" : "");
}

/*
 * Whether what comes has replaced the row, once source_event_id is assigned:
 * short, since the server resolves each of these for every statement.
 */
#define REPLACED "source_event_id = VALUES(source_event_id)"

static void
put_assignment(FILE *out, const struct column *c, const struct mode *mode)
{
	switch (c->merge) {
	case MERGE_NEWEST:
		fprintf(out, "`%s` = IF(" REPLACED ", VALUES(`%s`), `%s`), ",
		    c->name, c->name, c->name);
		break;
	case MERGE_LEAST:
		fprintf(out, "`%s` = LEAST(COALESCE(`%s`, VALUES(`%s`)), "
		    "COALESCE(VALUES(`%s`), `%s`)), ",
		    c->name, c->name, c->name, c->name, c->name);
		break;
	case MERGE_PRICE:
		fprintf(out, "`%s` = IF(%s, VALUES(`%s`), `%s`), ", c->name,
		    mode->newer_price, c->name, c->name);
		break;
	}
}

_Static_assert(TIES_LEFT == 1000000000 && TIES_BACK == 2000000000,
    "as modes[] has them");

/*
 * Whether of the two snapshots the newer one has the lower status, whichever
 * of them comes now.
 */
static void
put_went_back(FILE *out, unsigned at)
{
	fprintf(out, " + IF(ties >= %d OR (SUBSTR(VALUES(order_key), %u, 1) "
	    "<> SUBSTR(order_key, %u, 1) AND (VALUES(order_key) > order_key) "
	    "= (SUBSTR(VALUES(order_key), %u, 1) < SUBSTR(order_key, %u, "
	    "1))), %d, 0)", TIES_BACK, at, at, at, at, TIES_BACK);
}

char *
upsert_sql(const struct table *t, enum upsert_mode mode, const char *prefix)
{
	char *sql = NULL;
	size_t len;
	FILE *out = open_memstream(&sql, &len);

	if (out == NULL)
		abort();
	fprintf(out, "INSERT INTO `%s%s` (", prefix, t->name);
	put_columns(out, t);
	fputs(") VALUES (", out);
	put_values(out, t);
	/* Assignments run left to right: what they compare comes after them. */
	fprintf(out, ") ON DUPLICATE KEY UPDATE ties = LAST_INSERT_ID(%s",
	    modes[mode].ties);
	if (t->status_at > 0 && mode == UPSERT_NEWER)
		put_went_back(out, t->status_at);
	fprintf(out, "), source_event_id = IF(%s, VALUES(source_event_id), "
	    "source_event_id), ", modes[mode].newer);
	for (size_t i = 0; i < t->ncols; i++)
		if ((t->cols[i].flags & COL_KEY) == 0)
			put_assignment(out, &t->cols[i], &modes[mode]);
	if (t->has_price_key)
		fprintf(out, "price_order_key = IF(%s, "
		    "VALUES(price_order_key), price_order_key), ",
		    modes[mode].newer_price);
	if (!t->account_key)
		fputs("account = IF(" REPLACED ", VALUES(account), account), "
		    "livemode = IF(" REPLACED ", VALUES(livemode), livemode), ",
		    out);
	fputs("order_key = GREATEST(order_key, VALUES(order_key))", out);
	if (fclose(out) != 0)
		abort();
	return sql;
}

struct stmt *
upsert_prepare(MYSQL *mysql, const struct table *t, enum upsert_mode mode,
    const char *prefix, size_t cap)
{
	size_t nextra = t->has_price_key ? EXTRA_PRICE + 1 : EXTRA_PRICE;
	char *kinds = mem_calloc(t->ncols + nextra + 1, 1);
	char *sql = upsert_sql(t, mode, prefix);
	struct stmt *st;

	for (size_t i = 0; i < t->ncols; i++) {
		enum col_type type = t->cols[i].type;

		kinds[i] = type == COL_INT || type == COL_BOOL ||
		    type == COL_TIME ? 'i' : 'b';
	}
	memcpy(kinds + t->ncols, "bibbib", nextra);
	st = stmt_new(mysql, sql, kinds, cap,
	    mode == UPSERT_NEWER ? "ties" : NULL);
	free(sql);
	free(kinds);
	return st;
}

static void
put_value(struct stmt *st, size_t at, size_t param, const struct value *v)
{
	switch (v->type) {
	case VALUE_NULL:
		stmt_null(st, at, param);
		break;
	case VALUE_INT:
	case VALUE_TIME:
		stmt_int(st, at, param, v->i);
		break;
	case VALUE_BYTES:
		stmt_bytes(st, at, param, v->s, v->len);
		break;
	}
}

void
upsert_put(struct stmt *st, size_t at, const struct row *row,
    const struct event *ev, size_t ties)
{
	const struct table *t = row->table;
	size_t extra = t->ncols;

	for (size_t i = 0; i < t->ncols; i++)
		put_value(st, at, i, &row->values[i]);
	stmt_text(st, at, extra + EXTRA_ACCOUNT, ev->account);
	stmt_int(st, at, extra + EXTRA_LIVEMODE, ev->livemode);
	stmt_text(st, at, extra + EXTRA_SOURCE, ev->id);
	stmt_bytes(st, at, extra + EXTRA_ORDER, (const char *)row->order_key,
	    row->order_key_len);
	stmt_int(st, at, extra + EXTRA_TIES, (int64_t)ties);
	if (t->has_price_key)
		stmt_bytes(st, at, extra + EXTRA_PRICE,
		    (const char *)row->price_key, row->price_key_len);
}
