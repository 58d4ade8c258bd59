/* Snapshots: their kinds against the mapping, and the events they become. */
#include <json-c/json.h>
#include <obstack.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/mem.h"
#include "store/snapshot.h"
#include "stripe/event.h"
#include "stripe/mapping.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct strings no_keys = { NULL, 0 };

static const struct table *
table_named(const char *name)
{
	for (size_t i = 0; i < mapping_ntables; i++)
		if (strcmp(mapping_tables[i]->name, name) == 0)
			return mapping_tables[i];
	return NULL;
}

static int
column_at(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->ncols; i++)
		if (strcmp(t->cols[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Every kind has its table; those that can be deleted have a column for it. */
START_TEST(test_kinds)
{
	for (size_t i = 0; i < snapshot_nkinds; i++) {
		const struct snapshot_kind *k = &snapshot_kinds[i];
		const struct table *t = table_named(k->table);

		ck_assert_ptr_nonnull(t);
		ck_assert_int_eq(k->deletable, column_at(t, "deleted") >= 0);
		ck_assert_ptr_eq(snapshot_kind_by_name(k->name), k);
		ck_assert_ptr_eq(snapshot_kind_by_table(k->table), k);
	}
	ck_assert_ptr_null(snapshot_kind_by_name("cats"));
	ck_assert_ptr_null(snapshot_kind_by_table("customer_users"));
}
END_TEST

static const struct {
	const char *type, *id, *table;
} events[] = {
	{ "customer.updated", "cus_1", "customers" },
	{ "customer.subscription.updated", "sub_1", "user_subscriptions" },
	{ "charge.updated", "ch_1", "charges" },
	{ "charge.dispute.created", "dp_1", "disputes" },
	{ "charge.refund.updated", "re_1", "refunds" },
	{ "invoice.paid", "in_1", "invoices" },
	{ "invoice_payment.paid", "inpay_1", "invoice_payments" },
	{ "plan.updated", "gold", "plans" },
	{ "price.updated", "price_1", "plans" },
	{ "checkout.session.completed", "cs_test_1", "checkout_sessions" },
	{ "stripehook.snapshot", "in_1", "invoices" },
	{ "stripehook.snapshot", "inpay_1", "invoice_payments" },
	{ "stripehook.snapshot", "seti_1", "setup_intents" },
	{ "stripehook.snapshot", "py_1", "charges" },
	{ "stripehook.snapshot", "pyr_1", "refunds" },
	{ "stripehook.snapshot", "gold", NULL },
	{ "radar.early_fraud_warning.created", "issfr_1", NULL },
};

START_TEST(test_kind_of_event)
{
	const struct snapshot_kind *k = snapshot_kind_of_event(
	    events[_i].type, events[_i].id);

	if (events[_i].table == NULL)
		ck_assert_ptr_null(k);
	else
		ck_assert_str_eq(k->table, events[_i].table);
}
END_TEST

/* The snapshot of an object of this text, fetched in that second. */
static char *
snapshot_of(const char *object, const char *account, int64_t date,
    size_t *len)
{
	struct fetched how = { account, true, date, "2025-08-27.basil" };
	struct json_object *json = json_tokener_parse(object);
	char *text = snapshot_text(json, &how, len);

	json_object_put(json);
	return text;
}

START_TEST(test_event)
{
	struct obstack mem;
	struct event ev;
	struct rows rows;
	const char *why;
	size_t len;
	char *text = snapshot_of("{\"id\":\"gold\",\"object\":\"product\","
	    "\"name\":\"a/b \\u20ac\",\"livemode\":false,\"created\":17}",
	    "acct_1", 1790000000, &len);

	obstack_init(&mem);
	ck_assert_uint_eq(strlen(text), len);
	ck_assert_int_eq(event_parse(&ev, &mem, text, len, &why), OUT_OK);
	ck_assert_str_eq(ev.id, "snap_gold_acct_1_1790000000");
	ck_assert_str_eq(ev.type, "stripehook.snapshot");
	ck_assert_str_eq(ev.object_id, "gold");
	ck_assert_str_eq(ev.account, "acct_1");
	ck_assert_str_eq(ev.api_version, "2025-08-27.basil");
	ck_assert_int_eq(ev.created, 1790000000);
	/* The object's own word on its mode goes before the key's. */
	ck_assert(!ev.livemode);
	ck_assert_int_eq(mapping_apply(&rows, &mem, &ev, &no_keys), OUT_OK);
	ck_assert_str_eq(rows.row[0].table->name, "products");
	event_drop_json(&ev);
	obstack_free(&mem, NULL);
	free(text);
}
END_TEST

/* Long ids that differ at their end alone give different events. */
START_TEST(test_long_ids)
{
	char object[512], *text[2], id[251];
	size_t len;

	for (int i = 0; i < 2; i++) {
		memset(id, 'x', 249);
		id[249] = (char)('a' + i);
		id[250] = '\0';
		snprintf(object, sizeof(object), "{\"id\":\"%s\","
		    "\"object\":\"product\"}", id);
		text[i] = snapshot_of(object, "acct_1234567890123456789012345",
		    253402300799, &len);
	}
	ck_assert_int_ne(strncmp(text[0], text[1], 262), 0);
	for (int i = 0; i < 2; i++) {
		struct obstack mem;
		struct event ev;
		const char *why;

		obstack_init(&mem);
		ck_assert_int_eq(event_parse(&ev, &mem, text[i],
		    strlen(text[i]), &why), OUT_OK);
		event_drop_json(&ev);
		obstack_free(&mem, NULL);
		free(text[i]);
	}
}
END_TEST

/* When a payment was fetched isn't when it succeeded. */
static const struct {
	const char *more;
	int64_t succeeded;	/* 0: not known */
} payments[] = {
	{ "\"latest_charge\":\"ch_1\"", 0 },
	{ "\"latest_charge\":null", 0 },
	{ "\"latest_charge\":{\"id\":\"ch_1\",\"created\":1700000003}",
	    1700000003 },
	{ "\"capture_method\":\"automatic\","
	    "\"latest_charge\":{\"id\":\"ch_1\",\"created\":1700000003}",
	    1700000003 },
	{ "\"capture_method\":\"manual\","
	    "\"latest_charge\":{\"id\":\"ch_1\",\"created\":1700000003}", 0 },
};

START_TEST(test_succeeded_at)
{
	const struct table *t = table_named("payments");
	const struct value *v;
	struct obstack mem;
	struct event ev;
	struct rows rows;
	const char *why;
	char object[512], *text;
	size_t len;

	snprintf(object, sizeof(object), "{\"id\":\"pi_1\",\"object\":"
	    "\"payment_intent\",\"status\":\"succeeded\",%s}",
	    payments[_i].more);
	text = snapshot_of(object, "", 1790000000, &len);
	obstack_init(&mem);
	ck_assert_int_eq(event_parse(&ev, &mem, text, len, &why), OUT_OK);
	ck_assert_int_eq(mapping_apply(&rows, &mem, &ev, &no_keys), OUT_OK);
	v = &rows.row[0].values[column_at(t, "succeeded_at")];
	ck_assert_int_eq(v->type, payments[_i].succeeded == 0 ? VALUE_NULL :
	    VALUE_TIME);
	if (payments[_i].succeeded != 0)
		ck_assert_int_eq(v->i, payments[_i].succeeded);
	event_drop_json(&ev);
	obstack_free(&mem, NULL);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *tc = tcase_create("snapshot");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, test_kinds);
	tcase_add_loop_test(tc, test_kind_of_event, 0, COUNT(events));
	tcase_add_test(tc, test_event);
	tcase_add_test(tc, test_long_ids);
	tcase_add_loop_test(tc, test_succeeded_at, 0, COUNT(payments));
	return suite_run(suite);
}
