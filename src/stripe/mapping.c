/*
 * What Stripe's events become, as data: a row per column, per link, and per
 * event type. Columns are in the order of sql/. Paths start in data.object;
 * of alternatives, newer payloads come first. Which generation a payload is of
 * is never asked: what is there decides, column by column.
 */
#include "stripe/mapping.h"

#include "stripe/mapping_int.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* The primary key. */
#define KEY(column, where) \
	{ .name = (column), .path = (where), .type = COL_ID, \
	    .flags = COL_KEY | COL_NEED }
/* A value as it stands in the payload. */
#define COL(column, of, where) \
	{ .name = (column), .path = (where), .type = COL_##of }
/* A string of a column that holds more than 255 characters. */
#define STR(column, chars, where) \
	{ .name = (column), .path = (where), .type = COL_STR, .max = (chars) }
/* A value that a function makes. */
#define MADE(column, of, where, function) \
	{ .name = (column), .path = (where), .type = COL_##of, \
	    .compute = map_compute_##function }
/* The application's user: metadata objects to search, or the id itself. */
#define USER(where) \
	{ .name = "user_id", .path = (where), .type = COL_STR, \
	    .max = USER_ID_MAX, .compute = map_compute_user_id }

enum { EMAIL_MAX = 512 };

static const struct column customer_cols[] = {
	KEY("stripe_customer_id", "/id"),
	STR("email", EMAIL_MAX, "/email"),
	STR("name", TEXT_MAX, "/name"),
	USER("/metadata"),
	MADE("deleted", BOOL, ".deleted|/deleted", flag),
	COL("delinquent", BOOL, "/delinquent"),
	COL("currency", STR, "/currency"),
	COL("metadata", JSON, "/metadata"),
	COL("created", TIME, "/created"),
};

static const struct column product_cols[] = {
	KEY("product_id", "/id"),
	STR("name", TEXT_MAX, "/name"),
	COL("active", BOOL, "/active"),
	MADE("deleted", BOOL, ".deleted|/deleted", flag),
	COL("default_price", ID, "/default_price"),
	STR("description", TEXT_MAX, "/description"),
	COL("metadata", JSON, "/metadata"),
	COL("created", TIME, "/created"),
};

/* Prices' field names first, then those of plans. */
static const struct column plan_cols[] = {
	KEY("plan_id", "/id"),
	COL("product_id", ID, "/product"),
	STR("nickname", TEXT_MAX, "/nickname"),
	COL("active", BOOL, "/active"),
	COL("currency", STR, "/currency"),
	MADE("type", STR, "/type", plan_type),
	COL("unit_amount", INT, "/unit_amount|/amount"),
	COL("unit_amount_decimal", STR, "/unit_amount_decimal|/amount_decimal"),
	COL("interval", STR, "/recurring/interval|/interval"),
	COL("interval_count", INT,
	    "/recurring/interval_count|/interval_count"),
	COL("usage_type", STR, "/recurring/usage_type|/usage_type"),
	{ .name = "lookup_key", .path = "/lookup_key", .type = COL_STR,
	    .merge = MERGE_PRICE },
	MADE("deleted", BOOL, ".deleted|/deleted", flag),
	COL("metadata", JSON, "/metadata"),
	COL("created", TIME, "/created"),
};

/* Of what carries both: sessions and subscriptions. */
static const struct column customer_user_cols[] = {
	KEY("stripe_customer_id", "/customer"),
	{ .name = "user_id", .path = "/metadata|/client_reference_id",
	    .type = COL_STR, .max = USER_ID_MAX, .flags = COL_NEED,
	    .compute = map_compute_user_id },
};

static const struct column subscription_cols[] = {
	KEY("stripe_subscription_id", "/id"),
	COL("stripe_customer_id", ID, "/customer"),
	USER("/metadata"),
	COL("status", STR, "/status"),
	COL("plan_id", ID, "/items/data/0/price|/items/data/0/plan|/plan"),
	COL("product_id", ID, "/items/data/0/price?/product|"
	    "/items/data/0/plan?/product|/plan?/product"),
	COL("quantity", INT, "/items/data/0/quantity|/quantity"),
	COL("currency", STR, "/currency|/items/data/0/price?/currency|"
	    "/plan?/currency"),
	MADE("items", JSON, "/items/data", items),
	MADE("current_period_start", TIME, "/current_period_start",
	    period_start),
	MADE("current_period_end", TIME, "/current_period_end", period_end),
	COL("cancel_at_period_end", BOOL, "/cancel_at_period_end"),
	COL("cancel_at", TIME, "/cancel_at"),
	COL("canceled_at", TIME, "/canceled_at"),
	COL("ended_at", TIME, "/ended_at"),
	COL("cancellation_reason", STR, "/cancellation_details/reason"),
	COL("trial_start", TIME, "/trial_start"),
	COL("trial_end", TIME, "/trial_end"),
	COL("pause_collection", JSON, "/pause_collection"),
	COL("collection_method", STR, "/collection_method"),
	COL("latest_invoice", ID, "/latest_invoice"),
	COL("pending_setup_intent", ID, "/pending_setup_intent"),
	COL("metadata", JSON, "/metadata"),
	COL("created", TIME, "/created"),
};

static const struct column setup_intent_cols[] = {
	KEY("stripe_setup_intent_id", "/id"),
	COL("stripe_customer_id", ID, "/customer"),
	USER("/metadata"),
	COL("status", STR, "/status"),
	COL("usage", STR, "/usage"),
	COL("last_error_code", STR, "/last_setup_error/code"),
	COL("last_error_decline_code", STR, "/last_setup_error/decline_code"),
	STR("last_error_message", TEXT_MAX, "/last_setup_error/message"),
	COL("cancellation_reason", STR, "/cancellation_reason"),
	COL("client_secret_sha256", SHA256, "/client_secret"),
	COL("metadata", JSON, "/metadata"),
	COL("created", TIME, "/created"),
};

static const struct column session_cols[] = {
	KEY("stripe_checkout_session_id", "/id"),
	COL("stripe_customer_id", ID, "/customer"),
	USER("/metadata|/client_reference_id"),
	STR("client_reference_id", USER_ID_MAX, "/client_reference_id"),
	STR("customer_email", EMAIL_MAX,
	    "/customer_email|/customer_details/email"),
	COL("mode", STR, "/mode"),
	COL("status", STR, "/status"),
	COL("payment_status", STR, "/payment_status"),
	COL("stripe_subscription_id", ID, "/subscription"),
	COL("stripe_payment_intent_id", ID, "/payment_intent"),
	COL("stripe_setup_intent_id", ID, "/setup_intent"),
	COL("stripe_invoice_id", ID, "/invoice"),
	COL("amount_total", INT, "/amount_total"),
	COL("currency", STR, "/currency"),
	COL("client_secret_sha256", SHA256, "/client_secret"),
	COL("expires_at", TIME, "/expires_at"),
	COL("metadata", JSON, "/metadata"),
	COL("created", TIME, "/created"),
};

/* period_start of an invoice is not the period that its lines are for. */
static const struct column invoice_cols[] = {
	KEY("stripe_invoice_id", "/id"),
	COL("stripe_customer_id", ID, "/customer"),
	COL("stripe_subscription_id", ID,
	    "/parent/subscription_details/subscription|/subscription"),
	USER("/metadata|/parent/subscription_details/metadata|"
	    "/subscription_details/metadata"),
	STR("customer_email", EMAIL_MAX, "/customer_email"),
	COL("number", STR, "/number"),
	COL("status", STR, "/status"),
	MADE("deleted", BOOL, ".deleted|/deleted", flag),
	COL("currency", STR, "/currency"),
	COL("amount_due", INT, "/amount_due"),
	COL("amount_paid", INT, "/amount_paid"),
	COL("amount_remaining", INT, "/amount_remaining"),
	COL("subtotal", INT, "/subtotal"),
	COL("total", INT, "/total"),
	COL("billing_reason", STR, "/billing_reason"),
	COL("attempt_count", INT, "/attempt_count"),
	COL("next_payment_attempt", TIME, "/next_payment_attempt"),
	COL("due_date", TIME, "/due_date"),
	STR("hosted_invoice_url", TEXT_MAX, "/hosted_invoice_url"),
	STR("invoice_pdf", TEXT_MAX, "/invoice_pdf"),
	COL("line_period_start", TIME, "/lines/data/0/period/start"),
	COL("line_period_end", TIME, "/lines/data/0/period/end"),
	COL("finalized_at", TIME, "/status_transitions/finalized_at"),
	COL("paid_at", TIME, "/status_transitions/paid_at"),
	COL("voided_at", TIME, "/status_transitions/voided_at"),
	COL("marked_uncollectible_at", TIME,
	    "/status_transitions/marked_uncollectible_at"),
	COL("metadata", JSON, "/metadata"),
	COL("created", TIME, "/created"),
};

static const struct column payment_cols[] = {
	KEY("stripe_payment_intent_id", "/id"),
	COL("stripe_customer_id", ID, "/customer"),
	USER("/metadata"),
	COL("amount", INT, "/amount"),
	COL("amount_received", INT, "/amount_received"),
	COL("amount_capturable", INT, "/amount_capturable"),
	COL("currency", STR, "/currency"),
	COL("status", STR, "/status"),
	COL("capture_method", STR, "/capture_method"),
	COL("latest_charge", ID, "/latest_charge|/charges/data/0"),
	COL("last_error_code", STR, "/last_payment_error/code"),
	COL("last_error_decline_code", STR,
	    "/last_payment_error/decline_code"),
	STR("last_error_message", TEXT_MAX, "/last_payment_error/message"),
	STR("receipt_email", EMAIL_MAX, "/receipt_email"),
	{ .name = "succeeded_at", .path = "/status", .type = COL_TIME,
	    .merge = MERGE_LEAST, .compute = map_compute_succeeded_at },
	COL("canceled_at", TIME, "/canceled_at"),
	COL("cancellation_reason", STR, "/cancellation_reason"),
	COL("metadata", JSON, "/metadata"),
	COL("client_secret_sha256", SHA256, "/client_secret"),
	COL("created", TIME, "/created"),
};

static const struct column charge_cols[] = {
	KEY("stripe_charge_id", "/id"),
	COL("stripe_payment_intent_id", ID, "/payment_intent"),
	COL("stripe_customer_id", ID, "/customer"),
	USER("/metadata"),
	COL("amount", INT, "/amount"),
	COL("amount_captured", INT, "/amount_captured"),
	COL("amount_refunded", INT, "/amount_refunded"),
	COL("currency", STR, "/currency"),
	COL("status", STR, "/status"),
	COL("paid", BOOL, "/paid"),
	COL("captured", BOOL, "/captured"),
	COL("refunded", BOOL, "/refunded"),
	COL("disputed", BOOL, "/disputed"),
	COL("failure_code", STR, "/failure_code"),
	STR("failure_message", TEXT_MAX, "/failure_message"),
	STR("receipt_email", EMAIL_MAX, "/receipt_email"),
	STR("receipt_url", TEXT_MAX, "/receipt_url"),
	COL("metadata", JSON, "/metadata"),
	COL("created", TIME, "/created"),
};

static const struct column refund_cols[] = {
	KEY("stripe_refund_id", "/id"),
	COL("stripe_charge_id", ID, "/charge"),
	COL("stripe_payment_intent_id", ID, "/payment_intent"),
	COL("amount", INT, "/amount"),
	COL("currency", STR, "/currency"),
	COL("status", STR, "/status"),
	COL("reason", STR, "/reason"),
	COL("failure_reason", STR, "/failure_reason"),
	COL("metadata", JSON, "/metadata"),
	COL("created", TIME, "/created"),
};

static const struct column dispute_cols[] = {
	KEY("stripe_dispute_id", "/id"),
	COL("stripe_charge_id", ID, "/charge"),
	COL("stripe_payment_intent_id", ID, "/payment_intent"),
	COL("amount", INT, "/amount"),
	COL("currency", STR, "/currency"),
	COL("status", STR, "/status"),
	COL("reason", STR, "/reason"),
	COL("evidence_due_by", TIME, "/evidence_details/due_by"),
	COL("metadata", JSON, "/metadata"),
	COL("created", TIME, "/created"),
};

static const struct column invoice_payment_cols[] = {
	KEY("stripe_invoice_payment_id", "/id"),
	COL("stripe_invoice_id", ID, "/invoice"),
	COL("stripe_payment_intent_id", ID, "/payment/payment_intent"),
	COL("stripe_charge_id", ID, "/payment/charge"),
	COL("status", STR, "/status"),
	MADE("detached", BOOL, ".detached", flag),
	COL("amount_paid", INT, "/amount_paid"),
	COL("amount_requested", INT, "/amount_requested"),
	COL("currency", STR, "/currency"),
	COL("is_default", BOOL, "/is_default"),
	COL("paid_at", TIME, "/status_transitions/paid_at"),
	COL("canceled_at", TIME, "/status_transitions/canceled_at"),
	COL("created", TIME, "/created"),
};

#define TABLE(position, table_name, columns, ...) \
	[position] = &(const struct table) { .name = (table_name), \
	    .cols = (columns), .ncols = N(columns), .index = (position), \
	    ##__VA_ARGS__ }

const struct table *const mapping_tables[] = {
	TABLE(T_CUSTOMERS, "customers", customer_cols),
	TABLE(T_PRODUCTS, "products", product_cols, .account_key = true),
	TABLE(T_PLANS, "plans", plan_cols, .account_key = true,
	    .has_price_key = true, .shared = true),
	TABLE(T_CUSTOMER_USERS, "customer_users", customer_user_cols,
	    .shared = true),
	TABLE(T_SUBSCRIPTIONS, "user_subscriptions", subscription_cols),
	TABLE(T_SETUP_INTENTS, "setup_intents", setup_intent_cols),
	TABLE(T_SESSIONS, "checkout_sessions", session_cols),
	TABLE(T_INVOICES, "invoices", invoice_cols,
	    .status_at = ORDER_INVOICE_STATUS),
	TABLE(T_PAYMENTS, "payments", payment_cols),
	TABLE(T_CHARGES, "charges", charge_cols),
	TABLE(T_REFUNDS, "refunds", refund_cols),
	TABLE(T_DISPUTES, "disputes", dispute_cols),
	TABLE(T_INVOICE_PAYMENTS, "invoice_payments", invoice_payment_cols),
};
const size_t mapping_ntables = N(mapping_tables);

/*
 * Links: 'from.to' is the same whichever payload carried it, so that both
 * generations give the same ones.
 */
#define LINK(of, where_from, where_to) \
	{ .kind = (of), .from = (where_from), .to = (where_to) }

static const struct link_rule subscription_links[] = {
	LINK("invoice.subscription", "/latest_invoice", "/id"),
	LINK("subscription.setup_intent", "/id", "/pending_setup_intent"),
};

static const struct link_rule invoice_links[] = {
	LINK("invoice.subscription", "/id",
	    "/parent/subscription_details/subscription|/subscription"),
	LINK("invoice.payment_intent", "/id", "/payment_intent"),
	LINK("invoice.charge", "/id", "/charge"),
	{ .kind = "invoice.payment_intent", .from = "/id",
	    .list = "/payments/data", .to = "/payment/payment_intent" },
	{ .kind = "invoice.charge", .from = "/id",
	    .list = "/payments/data", .to = "/payment/charge" },
};

static const struct link_rule payment_links[] = {
	LINK("invoice.payment_intent", "/invoice", "/id"),
	{ .kind = "invoice.payment_intent",
	    .from = "/payment_details/order_reference", .to = "/id",
	    .hint = true },
};

static const struct link_rule invoice_payment_links[] = {
	{ .kind = "invoice.payment_intent", .from = "/invoice",
	    .to = "/payment/payment_intent", .unless = "detached" },
	{ .kind = "invoice.charge", .from = "/invoice",
	    .to = "/payment/charge", .unless = "detached" },
};

static const struct link_rule charge_links[] = {
	LINK("charge.payment_intent", "/id", "/payment_intent"),
	LINK("charge.invoice", "/id", "/invoice"),
};

static const struct link_rule refund_links[] = {
	LINK("refund.charge", "/id", "/charge"),
	LINK("refund.payment_intent", "/id", "/payment_intent"),
};

static const struct link_rule dispute_links[] = {
	LINK("dispute.charge", "/id", "/charge"),
	LINK("dispute.payment_intent", "/id", "/payment_intent"),
};

static const struct link_rule session_links[] = {
	LINK("session.payment_intent", "/id", "/payment_intent"),
	LINK("session.subscription", "/id", "/subscription"),
	LINK("session.invoice", "/id", "/invoice"),
	LINK("session.setup_intent", "/id", "/setup_intent"),
};

#define LINKS(array) .links = (array), .nlinks = N(array)

static const struct map_kind
subscription = { .object = "subscription", .table = T_SUBSCRIPTIONS,
    .order = ORDER_SUBSCRIPTION, LINKS(subscription_links),
    .more = map_more_subscription },
invoice = { .object = "invoice", .table = T_INVOICES,
    .order = ORDER_INVOICE, LINKS(invoice_links) },
payment = { .object = "payment_intent", .table = T_PAYMENTS,
    .order = ORDER_INTENT, LINKS(payment_links) },
setup_intent = { .object = "setup_intent", .table = T_SETUP_INTENTS,
    .order = ORDER_INTENT },
invoice_payment = { .object = "invoice_payment", .table = T_INVOICE_PAYMENTS,
    .order = ORDER_INVOICE_PAYMENT, LINKS(invoice_payment_links) },
charge = { .object = "charge", .table = T_CHARGES,
    .order = ORDER_CHARGE, LINKS(charge_links) },
refund = { .object = "refund", .table = T_REFUNDS,
    .order = ORDER_REFUND, LINKS(refund_links) },
dispute = { .object = "dispute", .table = T_DISPUTES,
    .order = ORDER_DISPUTE, LINKS(dispute_links) },
session = { .object = "checkout.session", .table = T_SESSIONS,
    .order = ORDER_SESSION, LINKS(session_links),
    .more = map_more_session },
customer = { .object = "customer", .table = T_CUSTOMERS,
    .order = ORDER_CUSTOMER },
product = { .object = "product", .table = T_PRODUCTS,
    .order = ORDER_PRODUCT },
price = { .object = "price", .table = T_PLANS, .order = ORDER_PRICE },
plan = { .object = "plan", .table = T_PLANS, .order = ORDER_PLAN };

const struct map_type map_types[] = {
	{ "payment_intent.*", &payment, NULL },
	{ "customer.subscription.*", &subscription, NULL },
	{ "invoice.upcoming", NULL, "invoice.upcoming has no invoice yet" },
	{ "invoice.*", &invoice, NULL },
	{ "invoice_payment.*", &invoice_payment, NULL },
	{ "charge.dispute.*", &dispute, NULL },
	{ "charge.refund.*", &refund, NULL },
	{ "charge.*", &charge, NULL },
	{ "refund.*", &refund, NULL },
	{ "checkout.session.*", &session, NULL },
	{ "setup_intent.*", &setup_intent, NULL },
	{ "customer.created", &customer, NULL },
	{ "customer.updated", &customer, NULL },
	{ "customer.deleted", &customer, NULL },
	{ "product.*", &product, NULL },
	{ "price.*", &price, NULL },
	{ "plan.*", &plan, NULL },
};
const size_t map_ntypes = N(map_types);
