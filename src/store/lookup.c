/* The status route's queries. */
#include "store/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "store/db.h"
#include "store/lookup_int.h"

enum { IDS_MAX = 500 };		/* in one query: each is short */

/*
 * w has a row for each question: its number and its id; for objects without a
 * secret of their own also the payment whose secret was presented.
 * STRAIGHT_JOIN begins with it.
 */
#define UNIX(column) "TIMESTAMPDIFF(SECOND, '1970-01-01', " column ")"
#define UPDATED UNIX("e.created") " updated_at"
#define EVENT " LEFT JOIN event_journal e " \
	"ON e.stripe_event_id = o.source_event_id"
#define OWN_SECRET "o.client_secret_sha256"
#define LINKED_SECRET(invoice) "(SELECT p.client_secret_sha256 " \
	"FROM payments p WHERE p.stripe_payment_intent_id = w.owner AND " \
	"EXISTS (SELECT 1 FROM links i WHERE i.to_id = w.owner AND " \
	"i.kind = 'invoice.payment_intent' AND i.from_id " invoice "))"
#define TO_LINK(kind) "(SELECT MAX(to_id) FROM links " \
	"WHERE from_id = w.id AND kind = '" kind "')"
#define NO_SESSION "NULL, NULL, NULL"
#define NO_ERROR "NULL, NULL, NULL"

static const char *const queries[KIND__MAX] = {
	[KIND_PAYMENT_INTENT] = OWN_SECRET ", o.status, " NO_SESSION ", "
	    "o.last_error_code, o.last_error_decline_code, "
	    "o.last_error_message, o.latest_charge attempt, " UPDATED ", "
	    "o.amount, o.currency, o.amount_received, o.capture_method, "
	    "i.from_id invoice, s.to_id subscription "
	    "FROM w STRAIGHT_JOIN payments o "
	    "ON o.stripe_payment_intent_id = w.id" EVENT
	    /* Of several invoices the last: where there are none, as mostly,
	       joins cost less than subqueries. */
	    " LEFT JOIN links i ON i.to_id = w.id "
	    "AND i.kind = 'invoice.payment_intent' "
	    "LEFT JOIN links later ON later.to_id = i.to_id "
	    "AND later.kind = i.kind AND later.from_id > i.from_id "
	    "LEFT JOIN links s ON s.from_id = i.from_id "
	    "AND s.kind = 'invoice.subscription' WHERE later.kind IS NULL",
	[KIND_SETUP_INTENT] = OWN_SECRET ", o.status, " NO_SESSION ", "
	    "o.last_error_code, o.last_error_decline_code, "
	    "o.last_error_message, " UPDATED ", o.`usage` "
	    "FROM w STRAIGHT_JOIN setup_intents o "
	    "ON o.stripe_setup_intent_id = w.id" EVENT,
	[KIND_SUBSCRIPTION] = LINKED_SECRET("IN (SELECT s.from_id FROM links s "
	    "WHERE s.to_id = w.id AND s.kind = 'invoice.subscription')") ", "
	    "o.status, " NO_SESSION ", " NO_ERROR ", " UPDATED ", o.currency, "
	    "o.plan_id plan, o.quantity, "
	    UNIX("o.current_period_end") " current_period_end, "
	    "o.cancel_at_period_end, " UNIX("o.cancel_at") " cancel_at, "
	    UNIX("o.trial_end") " trial_end, " UNIX("o.ended_at") " ended_at, "
	    "o.latest_invoice FROM w STRAIGHT_JOIN user_subscriptions o "
	    "ON o.stripe_subscription_id = w.id" EVENT,
	[KIND_INVOICE] = LINKED_SECRET("= w.id") ", "
	    "IF(o.deleted, 'deleted', o.status), " NO_SESSION ", " NO_ERROR
	    ", " UPDATED ", o.amount_due amount, o.currency, o.amount_paid, "
	    "o.amount_remaining, o.attempt_count, "
	    UNIX("o.next_payment_attempt") " next_payment_attempt, "
	    "o.hosted_invoice_url, "
	    TO_LINK("invoice.payment_intent") " payment_intent, "
	    TO_LINK("invoice.subscription") " subscription "
	    "FROM w STRAIGHT_JOIN invoices o ON o.stripe_invoice_id = w.id"
	    EVENT,
	[KIND_CHECKOUT_SESSION] = OWN_SECRET ", o.status, o.payment_status, "
	    "COALESCE(o.stripe_payment_intent_id, o.stripe_setup_intent_id, "
	    "o.stripe_subscription_id), COALESCE(p.status, u.status), "
	    "COALESCE(p.last_error_code, u.last_error_code), "
	    "COALESCE(p.last_error_decline_code, u.last_error_decline_code), "
	    "COALESCE(p.last_error_message, u.last_error_message), "
	    "p.latest_charge attempt, " UPDATED ", o.amount_total amount, "
	    "o.currency, o.mode, o.payment_status, "
	    "o.stripe_payment_intent_id payment_intent, "
	    "o.stripe_setup_intent_id setup_intent, "
	    "o.stripe_subscription_id subscription, "
	    "o.stripe_invoice_id invoice "
	    "FROM w STRAIGHT_JOIN checkout_sessions o "
	    "ON o.stripe_checkout_session_id = w.id" EVENT
	    " LEFT JOIN payments p "
	    "ON p.stripe_payment_intent_id = o.stripe_payment_intent_id "
	    "LEFT JOIN setup_intents u "
	    "ON u.stripe_setup_intent_id = o.stripe_setup_intent_id",
};

static enum outcome
failed(MYSQL *mysql)
{
	log_line(LOG_ERR, "database: %s (%u)", mysql_error(mysql),
	    mysql_errno(mysql));
	switch (db_class_of(mysql)) {
	case DB_RETRY:
		return OUT_DB_BUSY;
	case DB_RECONNECT:
		return OUT_DB_DOWN;
	default:
		return OUT_DB_SYSTEM;
	}
}

/* The first row of w gives its columns the collation that ids have. */
#define ASCII "_ascii'%s' COLLATE ascii_bin"

/*
 * The query for the questions of a kind from *next on, as many as go into
 * one, which the caller frees; NULL when none is left. Ids of a checked form
 * need no quoting.
 */
static char *
make_query(const struct lookup *l, size_t n, enum object_kind kind,
    size_t *next, size_t *len)
{
	char *sql = NULL;
	FILE *out = open_memstream(&sql, len);
	bool owned = state_kinds[kind].has_secret;
	unsigned ids = 0;

	if (out == NULL)
		abort();
	fprintf(out, "WITH w (n, id%s) AS (VALUES ", owned ? "" : ", owner");
	for (; *next < n && ids < IDS_MAX; (*next)++) {
		if (l[*next].kind != kind)
			continue;
		fprintf(out, ids == 0 ? "(%zu, " ASCII : ", (%zu, '%s'",
		    *next, l[*next].id);
		if (!owned)
			fprintf(out, ids == 0 ? ", " ASCII : ", '%s'",
			    l[*next].credential->owner);
		fputc(')', out);
		ids++;
	}
	fprintf(out, ") SELECT w.n, %s", queries[kind]);
	if (fclose(out) != 0)
		abort();
	if (ids > 0)
		return sql;
	free(sql);
	return NULL;
}

/* A row answers its question if the credential opens it. */
static void
judge(struct lookup *l, const struct lookup_row *row)
{
	bool has = row->value[C_SECRET] != NULL &&
	    row->length[C_SECRET] == SHA256_DIGEST_LENGTH;

	/* An invoice has one subscription; two would be two rows. */
	if (l->json != NULL)
		return;
	if (!credential_opens(l->credential, has ? (const unsigned char *)
	    row->value[C_SECRET] : NULL)) {
		l->out = OUT_WRONG_SECRET;
		return;
	}
	l->out = OUT_OK;
	if (row->value[C_PAYS] != NULL)
		snprintf(l->pays, sizeof(l->pays), "%s", row->value[C_PAYS]);
	lookup_tell(l, row);
}

static enum outcome
ask(MYSQL *mysql, const char *sql, size_t len, struct lookup *l, size_t n)
{
	struct lookup_row row = { .n = 0 };
	MYSQL_RES *res;

	metrics_add(METRIC_LOOKUPS, 1);
	if (mysql_real_query(mysql, sql, len) != 0 ||
	    (res = mysql_store_result(mysql)) == NULL)
		return failed(mysql);
	row.n = mysql_num_fields(res);
	row.field = mysql_fetch_fields(res);
	while (row.n >= C__MAX && (row.value = mysql_fetch_row(res)) != NULL) {
		size_t number = strtoul(row.value[C_NUMBER], NULL, 10);

		row.length = mysql_fetch_lengths(res);
		if (number < n)
			judge(&l[number], &row);
	}
	mysql_free_result(res);
	return OUT_OK;
}

enum outcome
lookup_all(MYSQL *mysql, struct lookup *l, size_t n)
{
	enum outcome out = OUT_OK;
	char *sql;
	size_t len;

	for (size_t i = 0; i < n; i++) {
		l[i].out = OUT_UNKNOWN_ID;
		l[i].final = false;
		l[i].json = NULL;
		l[i].pays[0] = '\0';
	}
	for (int k = 0; out == OUT_OK && k < KIND__MAX; k++) {
		size_t next = 0;

		while (out == OUT_OK && (sql = make_query(l, n,
		    (enum object_kind)k, &next, &len)) != NULL) {
			out = ask(mysql, sql, len, l, n);
			free(sql);
		}
	}
	if (out != OUT_OK)
		lookup_free(l, n);
	for (size_t i = 0; out == OUT_OK && i < n; i++)
		if (l[i].json == NULL)
			lookup_tell(&l[i], NULL);
	return out;
}

void
lookup_free(struct lookup *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].json);
		l[i].json = NULL;
	}
}
