/* The status route's queries. */
#include "store/lookup.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/db.h"

/* Columns of every query, in this order. */
enum {
	C_STATUS, C_AMOUNT, C_CURRENCY, C_ERROR, C_DECLINE, C_MESSAGE,
	C_CHARGE, C_EXTRA, C_UPDATED, C_SECRET, C__MAX
};

#define UPDATED "TIMESTAMPDIFF(SECOND, '1970-01-01', (SELECT e.created " \
	"FROM event_journal e WHERE e.stripe_event_id = o.source_event_id))"
#define SECRET "IF('%2$s' = '%1$s', o.client_secret_sha256, NULL)"
#define LINKED_SECRET "(SELECT p.client_secret_sha256 FROM payments p " \
	"WHERE p.stripe_payment_intent_id = '%2$s' AND EXISTS (SELECT 1 " \
	"FROM links i WHERE i.to_id = '%2$s' " \
	"AND i.kind = 'invoice.payment_intent' AND "

/* %1$s is the id, %2$s the id that the presented secret belongs to. */
static const struct {
	const char *extra;
	const char *sql;
} queries[KIND__MAX] = {
	[KIND_PAYMENT_INTENT] = { "capture_method",
	    "SELECT status, amount, currency, last_error_code, "
	    "last_error_decline_code, last_error_message, latest_charge, "
	    "capture_method, " UPDATED ", " SECRET " FROM payments o "
	    "WHERE stripe_payment_intent_id = '%1$s'" },
	[KIND_SETUP_INTENT] = { "usage",
	    "SELECT status, NULL, NULL, last_error_code, "
	    "last_error_decline_code, last_error_message, NULL, `usage`, "
	    UPDATED ", " SECRET " FROM setup_intents o "
	    "WHERE stripe_setup_intent_id = '%1$s'" },
	[KIND_SUBSCRIPTION] = { "plan",
	    "SELECT status, NULL, currency, NULL, NULL, NULL, NULL, plan_id, "
	    UPDATED ", " LINKED_SECRET "i.from_id IN (SELECT s.from_id FROM "
	    "links s WHERE s.to_id = '%1$s' "
	    "AND s.kind = 'invoice.subscription'))) "
	    "FROM user_subscriptions o WHERE stripe_subscription_id = '%1$s'" },
	[KIND_INVOICE] = { "hosted_invoice_url",
	    "SELECT status, amount_due, currency, NULL, NULL, NULL, NULL, "
	    "hosted_invoice_url, " UPDATED ", " LINKED_SECRET
	    "i.from_id = '%1$s')) FROM invoices o "
	    "WHERE stripe_invoice_id = '%1$s'" },
	[KIND_CHECKOUT_SESSION] = { "payment_status",
	    "SELECT status, amount_total, currency, NULL, NULL, NULL, NULL, "
	    "payment_status, " UPDATED ", " SECRET " FROM checkout_sessions o "
	    "WHERE stripe_checkout_session_id = '%1$s'" },
};

static void
copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from != NULL ? from : "");
}

static void
fill(struct lookup *l, MYSQL_ROW row, const unsigned long *lengths,
    const char *extra)
{
	l->found = true;
	copy(l->status, sizeof(l->status), row[C_STATUS]);
	l->has_amount = row[C_AMOUNT] != NULL;
	if (l->has_amount)
		l->amount = strtoll(row[C_AMOUNT], NULL, 10);
	copy(l->currency, sizeof(l->currency), row[C_CURRENCY]);
	copy(l->error_code, sizeof(l->error_code), row[C_ERROR]);
	copy(l->decline_code, sizeof(l->decline_code), row[C_DECLINE]);
	copy(l->error_message, sizeof(l->error_message), row[C_MESSAGE]);
	copy(l->latest_charge, sizeof(l->latest_charge), row[C_CHARGE]);
	copy(l->extra_name, sizeof(l->extra_name), extra);
	copy(l->extra, sizeof(l->extra), row[C_EXTRA]);
	if (row[C_UPDATED] != NULL)
		l->updated = strtoll(row[C_UPDATED], NULL, 10);
	if (row[C_SECRET] != NULL && lengths[C_SECRET] == SHA256_BYTES) {
		l->has_secret = true;
		memcpy(l->secret_sha256, row[C_SECRET], SHA256_BYTES);
	}
}

static enum outcome
failed(MYSQL *mysql)
{
	log_line(LOG_ERR, "database: %s (%u)", mysql_error(mysql),
	    mysql_errno(mysql));
	switch (db_classify(mysql_errno(mysql), mysql_sqlstate(mysql))) {
	case DB_RETRY:
		return OUT_DB_BUSY;
	case DB_RECONNECT:
		return OUT_DB_DOWN;
	default:
		return OUT_DB_SYSTEM;
	}
}

enum outcome
lookup_object(struct lookup *l, MYSQL *mysql, enum object_kind kind,
    const char *id, const char *secret_id)
{
	MYSQL_RES *res = NULL;
	MYSQL_ROW row;
	char sql[4096];

	memset(l, 0, sizeof(*l));
	/* Ids of a checked form need no quoting. */
	snprintf(sql, sizeof(sql), queries[kind].sql, id, secret_id);
	if (mysql_query(mysql, sql) != 0 ||
	    (res = mysql_store_result(mysql)) == NULL)
		return failed(mysql);
	if (mysql_num_fields(res) == C__MAX &&
	    (row = mysql_fetch_row(res)) != NULL)
		fill(l, row, mysql_fetch_lengths(res), queries[kind].extra);
	mysql_free_result(res);
	return OUT_OK;
}

/* Codes that tell a thief more than a payer are shown as one that doesn't. */
static const char *
shown_decline_code(const char *code)
{
	static const char *const masked[] = {
		"lost_card", "stolen_card", "fraudulent",
		"merchant_blacklist"
	};

	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		if (strcmp(code, masked[i]) == 0)
			return "generic_decline";
	return code;
}

static void
add_text(struct json_object *o, const char *key, const char *value)
{
	if (value[0] != '\0')
		json_object_object_add(o, key, json_object_new_string(value));
}

static void
add_failure(struct json_object *o, const struct lookup *l)
{
	struct json_object *f = json_object_new_object();

	add_text(f, "code", l->error_code);
	add_text(f, "decline_code", shown_decline_code(l->decline_code));
	add_text(f, "message", l->error_message);
	json_object_object_add(o, "failure", f);
}

char *
lookup_json(const struct lookup *l, enum object_kind kind, const char *id,
    bool *final)
{
	struct json_object *o = json_object_new_object();
	struct state state = state_of(kind, l->found ? l->status : NULL,
	    l->error_code[0] != '\0' || l->decline_code[0] != '\0');
	char *text;

	add_text(o, "id", id);
	add_text(o, "object", state_kinds[kind].object);
	add_text(o, "state", state.state);
	json_object_object_add(o, "final", json_object_new_boolean(
	    state.final));
	add_text(o, "attempt", l->latest_charge);
	if (l->updated != 0)
		json_object_object_add(o, "updated_at",
		    json_object_new_int64(l->updated));
	if (l->has_amount)
		json_object_object_add(o, "amount",
		    json_object_new_int64(l->amount));
	add_text(o, "currency", l->currency);
	add_text(o, l->extra_name, l->extra);
	if (strcmp(state.state, "failed") == 0)
		add_failure(o, l);
	text = mem_strdup(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	*final = state.final;
	return text;
}
