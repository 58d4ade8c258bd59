/* Which objects can be fetched, and the event that one becomes. */
#include "store/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "stripe/order.h"

enum { EVENT_ID_MAX = 255, OBJECT_ID_SHOWN = 180 };

#define NOT_DELETED "COALESCE(deleted, 0) = 0"

const struct snapshot_kind snapshot_kinds[] = {
	{ "products", "product", "products", "prod_", "product.",
	    "/v1/products", "", NOT_DELETED, true, false },
	/* Plans are prices too, under the same ids. */
	{ "prices", "price", "plans", "price_", "price.", "/v1/prices", "",
	    NOT_DELETED, true, false },
	{ "customers", "customer", "customers", "cus_", "customer.",
	    "/v1/customers", "", NOT_DELETED, true, false },
	{ "subscriptions", "subscription", "user_subscriptions", "sub_",
	    "customer.subscription.", "/v1/subscriptions", "status=all&",
	    "status NOT IN ('canceled', 'incomplete_expired')", false, false },
	{ "invoices", "invoice", "invoices", "in_", "invoice.",
	    "/v1/invoices", "", "status IN ('draft', 'open', 'uncollectible') "
	    "AND " NOT_DELETED, true, false },
	{ "payment_intents", "payment_intent", "payments", "pi_",
	    "payment_intent.", "/v1/payment_intents",
	    "expand%5B%5D=data.latest_charge&",
	    "status NOT IN ('succeeded', 'canceled')", false, false },
	{ "charges", "charge", "charges", "ch_", "charge.", "/v1/charges", "",
	    "status = 'pending'", false, false },
	{ "refunds", "refund", "refunds", "re_", "refund.", "/v1/refunds", "",
	    "status IN ('pending', 'requires_action')", false, false },
	{ "disputes", "dispute", "disputes", "dp_", "charge.dispute.",
	    "/v1/disputes", "", "status NOT IN ('won', 'lost', "
	    "'warning_closed', 'prevented')", false, false },
	{ "setup_intents", "setup_intent", "setup_intents", "seti_",
	    "setup_intent.", "/v1/setup_intents", "",
	    "status NOT IN ('succeeded', 'canceled')", false, true },
	{ "checkout_sessions", "checkout.session", "checkout_sessions", "cs_",
	    "checkout.session.", "/v1/checkout/sessions", "",
	    "status = 'open'", false, true },
	{ "invoice_payments", "invoice_payment", "invoice_payments", "inpay_",
	    "invoice_payment.", "/v1/invoice_payments", "",
	    "status = 'open'", false, true },
};
const size_t snapshot_nkinds =
    sizeof(snapshot_kinds) / sizeof(snapshot_kinds[0]);

/* Further beginnings of event types and ids; the longest that fits rules. */
static const struct {
	const char *begin, *table;
} others[] = {
	{ "plan.", "plans" },
	{ "plan_", "plans" },
	{ "charge.refund.", "refunds" },
	{ "pyr_", "refunds" },
	{ "py_", "charges" },
	{ "du_", "disputes" },
};

const struct snapshot_kind *
snapshot_kind_by_table(const char *table)
{
	for (size_t i = 0; i < snapshot_nkinds; i++)
		if (strcmp(snapshot_kinds[i].table, table) == 0)
			return &snapshot_kinds[i];
	return NULL;
}

const struct snapshot_kind *
snapshot_kind_by_name(const char *name)
{
	for (size_t i = 0; i < snapshot_nkinds; i++)
		if (strcmp(snapshot_kinds[i].name, name) == 0)
			return &snapshot_kinds[i];
	return NULL;
}

/* The length of begin if text begins so, else 0. */
static size_t
begins(const char *text, const char *begin)
{
	size_t len = strlen(begin);

	return strncmp(text, begin, len) == 0 ? len : 0;
}

static const struct snapshot_kind *
kind_by_beginning(const char *text)
{
	const struct snapshot_kind *best = NULL, *k;
	size_t longest = 0, len;

	for (size_t i = 0; i < snapshot_nkinds; i++) {
		k = &snapshot_kinds[i];
		if ((len = begins(text, k->prefix)) > longest ||
		    (len = begins(text, k->types)) > longest) {
			longest = len;
			best = k;
		}
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if ((len = begins(text, others[i].begin)) > longest) {
			longest = len;
			best = snapshot_kind_by_table(others[i].table);
		}
	return best;
}

const struct snapshot_kind *
snapshot_kind_of_event(const char *type, const char *object_id)
{
	return strcmp(type, ORDER_SNAPSHOT_TYPE) == 0 ?
	    kind_by_beginning(object_id) : kind_by_beginning(type);
}

const char *
snapshot_object_id(struct json_object *object)
{
	struct json_object *id;

	if (!json_object_object_get_ex(object, "id", &id) ||
	    !json_object_is_type(id, json_type_string))
		return "";
	return json_object_get_string(id);
}

bool
snapshot_is_deleted(struct json_object *object)
{
	struct json_object *deleted;

	return json_object_object_get_ex(object, "deleted", &deleted) &&
	    json_object_get_boolean(deleted);
}

static bool
livemode_of(struct json_object *object, bool otherwise)
{
	struct json_object *live;

	if (!json_object_object_get_ex(object, "livemode", &live) ||
	    !json_object_is_type(live, json_type_boolean))
		return otherwise;
	return json_object_get_boolean(live);
}

/*
 * Ids that merchants choose may be long, and the same in several accounts: of
 * a long one the beginning and a sum of all of it will do.
 */
static void
make_id(char id[EVENT_ID_MAX + 1], const char *object_id,
    const struct fetched *how)
{
	uint64_t sum = UINT64_C(14695981039346656037);	/* FNV-1a */
	size_t len = strlen(object_id);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)object_id[i]) *
		    UINT64_C(1099511628211);
	if (len <= OBJECT_ID_SHOWN)
		len = (size_t)snprintf(id, EVENT_ID_MAX + 1, "snap_%s",
		    object_id);
	else
		len = (size_t)snprintf(id, EVENT_ID_MAX + 1, "snap_%.*s_%"
		    PRIx64, OBJECT_ID_SHOWN, object_id, sum);
	snprintf(id + len, EVENT_ID_MAX + 1 - len, "%s%.30s_%" PRId64,
	    how->account[0] != '\0' ? "_" : "", how->account, how->date);
}

char *
snapshot_text(struct json_object *object, const struct fetched *how,
    size_t *len)
{
	struct json_object *ev = json_object_new_object();
	struct json_object *data = json_object_new_object();
	char id[EVENT_ID_MAX + 1], *text;

	make_id(id, snapshot_object_id(object), how);
	json_object_object_add(ev, "id", json_object_new_string(id));
	json_object_object_add(ev, "object", json_object_new_string("event"));
	if (how->account[0] != '\0')
		json_object_object_add(ev, "account",
		    json_object_new_string(how->account));
	if (how->version[0] != '\0')
		json_object_object_add(ev, "api_version",
		    json_object_new_string(how->version));
	json_object_object_add(ev, "created",
	    json_object_new_int64(how->date));
	json_object_object_add(data, "object", json_object_get(object));
	json_object_object_add(ev, "data", data);
	json_object_object_add(ev, "livemode",
	    json_object_new_boolean(livemode_of(object, how->livemode)));
	json_object_object_add(ev, "type",
	    json_object_new_string(ORDER_SNAPSHOT_TYPE));
	text = mem_strdup(json_object_to_json_string_length(ev,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len));
	json_object_put(ev);
	return text;
}
