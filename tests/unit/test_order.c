/*
 * The ordering key: ranks within one second, what is final, and that each
 * lifecycle ends in the rows expected of it, whatever the order.
 */
#include <glob.h>
#include <json-c/json.h>
#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/mem.h"
#include "stripe/event.h"
#include "stripe/mapping.h"
#include "stripe/order.h"
#include "suite.h"

#define N(array) (int)(sizeof(array) / sizeof((array)[0]))

struct key {
	unsigned char bytes[ORDER_KEY_MAX];
	size_t len;
};

/* An object is written with ' for ". */
static struct key
make_key(enum order_kind kind, const char *type, int64_t created,
    const char *object)
{
	struct event ev = { .id = "evt_1", .type = type, .created = created };
	struct json_object *json;
	struct key key;
	char *text = strdup(object);

	for (char *p = text; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	json = json_tokener_parse(text);
	ck_assert_msg(json != NULL, "%s", text);
	free(text);
	key.len = order_key_make(key.bytes, kind, &ev, json);
	json_object_put(json);
	return key;
}

static int
compare(const struct key *a, const struct key *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int c = memcmp(a->bytes, b->bytes, len);

	/* As VARBINARY compares: of two that begin alike the longer one. */
	return c != 0 ? c : (a->len > b->len) - (a->len < b->len);
}

#define ANY "{'created':5}"

/* Of each pair the second is the newer one. */
static const struct pair {
	enum order_kind kind;
	struct {
		const char *type;
		int64_t created;
		const char *object;
	} older, newer;
} pairs[] = {
#define PAIR(kind, t1, c1, o1, t2, c2, o2) \
	{ ORDER_##kind, { t1, c1, o1 }, { t2, c2, o2 } }
	PAIR(SUBSCRIPTION, "x.updated", 10, ANY, "x.updated", 11, ANY),
	PAIR(SUBSCRIPTION, "x.updated", 255, ANY, "x.updated", 256, ANY),
	PAIR(SUBSCRIPTION, "x.created", 10, ANY, "x.updated", 10, ANY),
	PAIR(SUBSCRIPTION, "x.trial_will_end", 10, ANY,
	    "x.deleted", 10, ANY),
	PAIR(SUBSCRIPTION, "x.updated", 99, "{'created':5,'status':'active'}",
	    "x.deleted", 10, "{'created':5,'status':'canceled'}"),
	PAIR(SUBSCRIPTION, "x.updated", 99, "{'created':5,'status':'active'}",
	    "x.updated", 10, "{'created':5,'status':'incomplete_expired'}"),
	/* Final by the type alone; made anew with the same id. */
	PAIR(SUBSCRIPTION, "x.updated", 99, ANY, "x.deleted", 10, ANY),
	PAIR(SUBSCRIPTION, "x.deleted", 99, ANY, "x.updated", 10,
	    "{'created':6}"),
	/* A fetched snapshot is below the events of its second. */
	PAIR(SUBSCRIPTION, "stripehook.snapshot", 10, ANY,
	    "x.created", 10, ANY),
	PAIR(SUBSCRIPTION, "x.updated", 9, ANY,
	    "stripehook.snapshot", 10, ANY),
	PAIR(CHARGE, "stripehook.snapshot", 10, ANY,
	    "charge.pending", 10, ANY),
	/* Invoices: in one second the status, then the attempts. */
	PAIR(INVOICE, "invoice.updated", 10, "{'status':'draft'}",
	    "invoice.created", 10, "{'status':'open'}"),
	PAIR(INVOICE, "invoice.updated", 10, "{'status':'open'}",
	    "invoice.created", 10, "{'status':'uncollectible'}"),
	PAIR(INVOICE, "invoice.updated", 10, "{'status':'uncollectible'}",
	    "invoice.created", 10, "{'status':'paid'}"),
	PAIR(INVOICE, "invoice.updated", 10,
	    "{'status':'open','attempt_count':1}", "invoice.updated", 10,
	    "{'status':'open','attempt_count':2}"),
	PAIR(INVOICE, "invoice.updated", 10,
	    "{'status':'open','attempt_count':255}", "invoice.updated", 10,
	    "{'status':'open','attempt_count':256}"),
	PAIR(INVOICE, "invoice.paid", 10,
	    "{'created':5,'status':'paid'}", "invoice.updated", 11,
	    "{'created':5,'status':'open'}"),
	PAIR(INVOICE, "invoice.paid", 99, "{'created':5,'status':'paid'}",
	    "invoice.voided", 11, "{'created':5,'status':'void'}"),
	PAIR(INVOICE, "invoice.updated", 99, "{'created':5,'status':'draft'}",
	    "invoice.deleted", 11, "{'created':5,'status':'draft'}"),
	/* Payment and setup intents. */
	PAIR(INTENT, "payment_intent.created", 10, ANY,
	    "payment_intent.processing", 10, ANY),
	PAIR(INTENT, "payment_intent.processing", 99,
	    "{'created':5,'status':'processing'}", "payment_intent.succeeded",
	    10, "{'created':5,'status':'succeeded'}"),
	PAIR(INTENT, "payment_intent.payment_failed", 99,
	    "{'created':5,'status':'requires_payment_method'}",
	    "payment_intent.canceled", 10,
	    "{'created':5,'status':'canceled'}"),
	/* Charges. */
	PAIR(CHARGE, "charge.pending", 10, ANY, "charge.failed", 10, ANY),
	PAIR(CHARGE, "charge.pending", 10, ANY, "charge.succeeded", 10, ANY),
	PAIR(CHARGE, "charge.succeeded", 10, ANY, "charge.captured", 10, ANY),
	PAIR(CHARGE, "charge.captured", 10, ANY, "charge.updated", 10, ANY),
	PAIR(CHARGE, "charge.updated", 10, ANY, "charge.refunded", 10, ANY),
	PAIR(CHARGE, "charge.refunded", 10, ANY, "charge.updated", 11, ANY),
	/* Refunds and disputes: nothing is final. */
	PAIR(REFUND, "refund.created", 10, ANY, "refund.updated", 10, ANY),
	PAIR(REFUND, "refund.updated", 10, "{'created':5,"
	    "'status':'succeeded'}", "charge.refund.updated", 11,
	    "{'created':5,'status':'failed'}"),
	PAIR(DISPUTE, "charge.dispute.updated", 10, ANY,
	    "charge.dispute.closed", 10, ANY),
	PAIR(DISPUTE, "charge.dispute.closed", 10, "{'created':5,"
	    "'status':'lost'}", "charge.dispute.updated", 11,
	    "{'created':5,'status':'under_review'}"),
	/* Sessions: state before time. */
	PAIR(SESSION, "x", 99, "{'created':5,'status':'open'}", "x", 10,
	    "{'created':5,'status':'complete'}"),
	PAIR(SESSION, "x", 99, "{'created':5,'status':'open'}", "x", 10,
	    "{'created':5,'status':'expired'}"),
	PAIR(SESSION, "x", 99, "{'created':5,'status':'complete',"
	    "'payment_status':'unpaid'}", "x", 10, "{'created':5,"
	    "'status':'complete','payment_status':'paid'}"),
	PAIR(SESSION, "checkout.session.completed", 10, ANY,
	    "checkout.session.async_payment_failed", 10, ANY),
	/* What can be deleted. */
	PAIR(CUSTOMER, "customer.updated", 99, ANY, "customer.deleted", 10,
	    ANY),
	PAIR(CUSTOMER, "customer.updated", 99, ANY, "stripehook.snapshot",
	    10, "{'created':5,'deleted':true}"),
	PAIR(PRODUCT, "product.updated", 99, ANY, "product.deleted", 10, ANY),
	PAIR(INVOICE_PAYMENT, "invoice_payment.paid", 99, ANY,
	    "invoice_payment.detached", 10, ANY),
	PAIR(PRICE, "price.updated", 99, ANY, "price.deleted", 10, ANY),
	/* Large numbers are cut to the field, not wrapped. */
	PAIR(INVOICE, "invoice.updated", 10, "{'created':5,"
	    "'attempt_count':7}", "invoice.updated", 10,
	    "{'created':5,'attempt_count':4294967296}"),
};

START_TEST(newer)
{
	const struct pair *p = &pairs[_i];
	struct key a = make_key(p->kind, p->older.type, p->older.created,
	    p->older.object);
	struct key b = make_key(p->kind, p->newer.type, p->newer.created,
	    p->newer.object);

	ck_assert_msg(compare(&a, &b) < 0, "%s %s, %s %s", p->older.type,
	    p->older.object, p->newer.type, p->newer.object);
}
END_TEST

/* Plans: a better source stays, but a deletion beats it. */
START_TEST(plan_sources)
{
	struct key inside = make_key(ORDER_PRICE_INSIDE,
	    "customer.subscription.deleted", 99, ANY);
	struct key plan = make_key(ORDER_PLAN, "plan.updated", 50, ANY);
	struct key price = make_key(ORDER_PRICE, "price.created", 10, ANY);
	struct key gone = make_key(ORDER_PLAN, "plan.deleted", 20, ANY);
	struct key bare = make_key(ORDER_PRICE_INSIDE, "x.updated", 99, "{}");

	ck_assert_int_lt(compare(&inside, &plan), 0);
	ck_assert_int_lt(compare(&plan, &price), 0);
	ck_assert_int_lt(compare(&price, &gone), 0);
	ck_assert_int_lt(compare(&bare, &inside), 0);
}
END_TEST

START_TEST(price_keys)
{
	struct event ev = { .id = "evt_1", .type = "price.updated",
	    .created = 10 };
	unsigned char a[ORDER_KEY_MAX], b[ORDER_KEY_MAX];
	struct json_object *o = json_tokener_parse("{\"created\":5}");
	struct json_object *anew = json_tokener_parse("{\"created\":6}");
	size_t n = order_price_key_make(a, ORDER_PRICE, &ev, o);
	char long_id[256];

	ck_assert_uint_eq(n, ORDER_PRICE_WIDTH + strlen("evt_1"));
	ev.id = "evt_2";
	ck_assert_uint_eq(order_price_key_make(b, ORDER_PRICE, &ev, o), n);
	ck_assert_int_lt(memcmp(a, b, n), 0);
	order_price_key_make(b, ORDER_PRICE_INSIDE, &ev, o);
	ck_assert_int_gt(memcmp(a, b, n), 0);
	/* A price's own event knows better than a later subscription. */
	ev.created = 11;
	order_price_key_make(b, ORDER_PRICE_INSIDE, &ev, o);
	ck_assert_int_gt(memcmp(a, b, n), 0);
	/* Made anew under the same id, and the old one deleted later. */
	order_price_key_make(b, ORDER_PRICE, &ev, anew);
	ev.created = 12;
	ev.type = "price.deleted";
	order_price_key_make(a, ORDER_PRICE, &ev, o);
	ck_assert_int_lt(memcmp(a, b, n), 0);
	ck_assert_uint_eq(order_price_key_make(b, ORDER_PLAN, &ev, o), 0);
	ck_assert_uint_eq(order_price_key_make(b, ORDER_PLAN_INSIDE, &ev, o), 0);
	ck_assert_uint_eq(order_price_key_make(b, ORDER_INVOICE, &ev, o), 0);
	memset(long_id, 'x', 255);
	long_id[255] = '\0';
	ev.id = long_id;
	ck_assert_uint_eq(order_price_key_make(b, ORDER_PRICE, &ev, o),
	    ORDER_KEY_MAX);
	json_object_put(o);
	json_object_put(anew);
}
END_TEST

START_TEST(users)
{
	struct key sub = make_key(ORDER_USER_SUBSCRIPTION, "x.updated", 99,
	    ANY);
	struct key old = make_key(ORDER_USER_SESSION, "x.completed", 10, ANY);
	struct key new = make_key(ORDER_USER_SESSION, "x.completed", 11, ANY);

	ck_assert_int_lt(compare(&sub, &old), 0);
	ck_assert_int_lt(compare(&old, &new), 0);
}
END_TEST

/* Fields at their places, of the key with most of them. */
START_TEST(layout)
{
	static const unsigned char want[] = {
		0, 0, 0, 0, 0, 0, 1, 2,		/* own created */
		0,				/* final */
		0, 0, 0, 0, 0, 0, 3, 4,		/* event created */
		1,				/* status */
		0, 0, 0, 5,			/* attempts */
		2				/* type */
	};
	struct key key = make_key(ORDER_INVOICE, "invoice.updated", 0x304,
	    "{'created':258,'status':'open','attempt_count':5}");

	ck_assert_uint_eq(key.len, sizeof(want));
	ck_assert_mem_eq(key.bytes, want, sizeof(want));
	/* Without a created of its own: the event's. */
	key = make_key(ORDER_CUSTOMER, "customer.deleted", 0x304, "{}");
	ck_assert_mem_eq(key.bytes, want + 9, 8);
}
END_TEST

/* Lifecycles. */

enum { EVENTS_MAX = 16 };

static struct obstack mem;
static struct event events[EVENTS_MAX];
static struct rows rows[EVENTS_MAX];
static size_t nevents;

static char *
read_file(const char *path, size_t *len)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	ssize_t n;

	ck_assert_msg(in != NULL, "cannot open %s", path);
	*len = 0;
	n = getdelim(&text, len, EOF, in);
	ck_assert_int_gt(n, 0);
	*len = (size_t)n;
	fclose(in);
	return text;
}

static void
load(const char *path)
{
	static const struct strings keys = { NULL, 0 };
	struct event *ev = &events[nevents];
	const char *why;
	size_t len;
	char *text = read_file(path, &len);

	ck_assert_int_lt((int)nevents, EVENTS_MAX);
	ck_assert_msg(event_parse(ev, &mem, text, len, &why) == OUT_OK,
	    "%s: %s", path, why);
	free(text);
	ck_assert_msg(mapping_apply(&rows[nevents], &mem, ev, &keys) ==
	    OUT_OK, "%s: %s", path, rows[nevents].reason);
	event_drop_json(ev);
	nevents++;
}

static const struct row *
row_of(size_t event, const char *table, const char *id)
{
	for (size_t i = 0; i < rows[event].n; i++) {
		const struct row *row = &rows[event].row[i];

		if (strcmp(row->table->name, table) == 0 &&
		    strcmp(row->values[0].s, id) == 0)
			return row;
	}
	return NULL;
}

/* Which row stays if the events come in this order: as the upsert decides. */
static const struct row *
play(const size_t *order, const char *table, const char *id)
{
	const struct row *best = NULL;
	const char *best_id = "";

	for (size_t i = 0; i < nevents; i++) {
		const struct row *row = row_of(order[i], table, id);
		int cmp;

		if (row == NULL)
			continue;
		cmp = best == NULL ? 1 : memcmp(row->order_key,
		    best->order_key, row->order_key_len);
		if (cmp > 0 || (cmp == 0 &&
		    strcmp(events[order[i]].id, best_id) > 0)) {
			best = row;
			best_id = events[order[i]].id;
		}
	}
	return best;
}

/* Compares those columns that have the same name in both. */
static void
check_row(const struct row *row, struct json_object *want)
{
	int checked = 0;

	for (size_t i = 1; i < row->table->ncols; i++) {
		const struct column *c = &row->table->cols[i];
		const struct value *v = &row->values[i];
		struct json_object *json;

		if (c->type == COL_JSON ||
		    !json_object_object_get_ex(want, c->name, &json))
			continue;
		checked++;
		if (json == NULL)
			ck_assert_msg(v->type == VALUE_NULL, "%s", c->name);
		else if (v->type == VALUE_BYTES)
			ck_assert_str_eq(v->s, json_object_get_string(json));
		else
			ck_assert_msg(v->type != VALUE_NULL && v->i ==
			    json_object_get_int64(json), "%s", c->name);
	}
	ck_assert_int_gt(checked, 5);
}

/* Calls check_row() for every order of the events (Heap's algorithm). */
static void
permute(size_t *order, size_t n, const char *table, const char *id,
    struct json_object *want, const struct row **winner)
{
	const struct row *row;

	if (n > 1) {
		for (size_t i = 0; i < n; i++) {
			size_t with = n % 2 == 0 ? i : 0, last;

			permute(order, n - 1, table, id, want, winner);
			last = order[n - 1];
			order[n - 1] = order[with];
			order[with] = last;
		}
		return;
	}
	row = play(order, table, id);
	if (*winner == NULL)
		check_row(row, want);
	else
		ck_assert_ptr_eq(*winner, row);
	*winner = row;
}

static void
check_lifecycle(const char *dir)
{
	char path[4096];
	size_t order[EVENTS_MAX], len;
	struct json_object *expected, *tables;
	glob_t files;
	char *text;

	nevents = 0;
	snprintf(path, sizeof(path), "%s/[0-9]*.json", dir);
	ck_assert_int_eq(glob(path, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		load(files.gl_pathv[i]);
	globfree(&files);
	snprintf(path, sizeof(path), "%s/expected.json", dir);
	text = read_file(path, &len);
	expected = json_tokener_parse(text);
	free(text);
	ck_assert(json_object_object_get_ex(expected, "rows", &tables));
	json_object_object_foreach(tables, table, list) {
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			struct json_object *want =
			    json_object_array_get_idx(list, i);
			struct json_object_iterator first =
			    json_object_iter_begin(want);
			const struct row *winner = NULL;

			for (size_t k = 0; k < nevents; k++)
				order[k] = k;
			permute(order, nevents, table, json_object_get_string(
			    json_object_iter_peek_value(&first)), want,
			    &winner);
		}
	}
	json_object_put(expected);
}

START_TEST(lifecycles)
{
	const char *dir = getenv("srcdir");
	char path[4096];
	glob_t dirs;

	snprintf(path, sizeof(path), "%s/tests/fixtures/lifecycle/*",
	    dir != NULL ? dir : ".");
	ck_assert_int_eq(glob(path, GLOB_ONLYDIR, NULL, &dirs), 0);
	ck_assert_uint_ge(dirs.gl_pathc, 2);
	obstack_init(&mem);
	for (size_t i = 0; i < dirs.gl_pathc; i++)
		check_lifecycle(dirs.gl_pathv[i]);
	obstack_free(&mem, NULL);
	globfree(&dirs);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("order");
	TCase *tc = tcase_create("order");

	tcase_add_loop_test(tc, newer, 0, N(pairs));
	tcase_add_test(tc, plan_sources);
	tcase_add_test(tc, price_keys);
	tcase_add_test(tc, users);
	tcase_add_test(tc, layout);
	tcase_add_test(tc, lifecycles);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
