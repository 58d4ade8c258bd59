/* Lifecycles, as data: steps, put together from parts that several share. */
#include "stripe/sample_int.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

const struct sample_step sample_catalogue[] = {
	{ 0, "product.created", "A", "" },
	{ 0, "price.created", "A", "" },
	{ 0, "plan.created", "A", "" },
	{ 0, NULL, NULL, NULL }
};

/* A subscription that waits for its first payment. */
static const struct sample_step signup[] = {
	{ 0, "session", "A", "" },
	{ 95, "customer.created", "A", "" },
	{ 1, "customer.subscription.created", "A", "" },
	{ 0, "invoice.created", "A", "" },
	{ 0, "invoice.finalized", "A", "open" },
	{ 0, "payment_intent.created", "A", "" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step authenticated[] = {
	{ 1, "payment_intent.requires_action", "A", "action" },
	{ 0, "invoice.payment_action_required", "A", "" },
	{ 41, "charge", "A", "secured" },
	{ 0, NULL, NULL, NULL }
};

#define PAID(branch, paid) \
	{ 0, "payment_intent.succeeded", branch, "succeeded" }, \
	{ 0, "invoice.updated", branch, paid }, \
	{ 0, "invoice.paid", branch, "" }, \
	{ 0, "invoice.payment_succeeded", branch, "" }, \
	{ 0, "invoice_payment.paid", branch, "paid" }

static const struct sample_step first_payment[] = {
	{ 1, "charge.succeeded", "A", "unsettled" },
	PAID("A", "paid"),
	{ 0, "customer.subscription.updated", "A", "active" },
	{ 0, "customer.updated", "A", "carded invoiced" },
	{ 1, "checkout.session.completed", "A", "complete" },
	{ 2, "charge.updated", "A", "settled" },
	{ 0, NULL, NULL, NULL }
};

#define RENEWAL(end, states) \
	{ end, "invoice.created", "B", "cycle" }, \
	{ 0, "customer.subscription.updated", "B", states }, \
	{ 3600, "invoice.finalized", "B", "open" }, \
	{ 0, "payment_intent.created", "B", "" }

static const struct sample_step renewal[] = {
	RENEWAL(TO_PERIOD_END, "renewed"),
	{ 2, "charge.succeeded", "B", "" },
	PAID("B", "paid"),
	{ 0, NULL, NULL, NULL }
};

#define REFUSED(after, branch, attempt) \
	{ after, "charge.failed", branch, "failed" }, \
	{ 0, "payment_intent.payment_failed", branch, "declined" }, \
	{ 0, "invoice.updated", branch, attempt }, \
	{ 0, "invoice.payment_failed", branch, "" }

static const struct sample_step failed_renewal[] = {
	RENEWAL(TO_PERIOD_END, "renewed"),
	REFUSED(2, "B", "failed_1"),
	{ 0, "customer.subscription.updated", "B", "past_due" },
	{ 0, "customer.updated", "A", "delinquent" },
	REFUSED(3 * DAY, "B2", "failed_2"),
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step recovery[] = {
	{ 2 * DAY, "customer.updated", "A", "recarded" },
	{ 20, "charge.succeeded", "B3", "" },
	PAID("B3", "paid third_time"),
	{ 0, "customer.subscription.updated", "B", "active" },
	{ 0, "customer.updated", "A", "paid_up" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step giving_up[] = {
	REFUSED(5 * DAY, "B3", "failed_3"),
	{ 7 * DAY, "customer.subscription.deleted", "B", "given_up" },
	{ 0, "invoice.marked_uncollectible", "B", "uncollectible" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step cancellation[] = {
	{ 9 * DAY, "customer.subscription.updated", "A", "canceling" },
	{ TO_PERIOD_END, "customer.subscription.deleted", "A", "ended" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step refunds[] = {
	{ 4 * DAY, "refund.created", "A", "" },
	{ 0, "charge.refunded", "A", "third_refunded" },
	{ 2, "refund.updated", "A", "referenced" },
	{ 0, "charge.refund.updated", "A", "" },
	{ DAY, "refund.created", "A12", "rest" },
	{ 0, "charge.refunded", "A", "refunded" },
	{ 0, "refund.updated", "A12", "referenced" },
	{ 0, "charge.refund.updated", "A12", "" },
	{ 0, "customer.subscription.deleted", "A", "canceled" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step dispute[] = {
	{ 12 * DAY, "charge.dispute.created", "A", "" },
	{ 0, "charge.dispute.funds_withdrawn", "A", "withdrawn" },
	{ 0, "charge.updated", "A", "disputed" },
	{ 3 * DAY, "charge.dispute.updated", "A", "review" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step dispute_lost[] = {
	{ 40 * DAY, "charge.dispute.closed", "A", "lost" },
	{ 0, "customer.subscription.deleted", "A", "canceled" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step dispute_won[] = {
	{ 40 * DAY, "charge.dispute.closed", "A", "won" },
	{ 0, "charge.dispute.funds_reinstated", "A", "reinstated" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step trial[] = {
	{ 0, "session", "A", "" },
	{ 61, "customer.created", "A", "" },
	{ 0, "setup_intent.created", "A", "" },
	{ 2, "setup_intent.succeeded", "A", "succeeded" },
	{ 0, "customer.updated", "A", "carded invoiced" },
	{ 0, "customer.subscription.created", "A", "trialing" },
	{ 0, "invoice.created", "A", "free" },
	{ 0, "invoice.finalized", "A", "open free_paid" },
	{ 0, "invoice.paid", "A", "" },
	{ 0, "invoice.payment_succeeded", "A", "" },
	{ 1, "checkout.session.completed", "A", "complete trial" },
	{ 11 * DAY, "customer.subscription.trial_will_end", "A", "" },
	RENEWAL(TO_TRIAL_END, "active renewed"),
	{ 2, "charge.succeeded", "B", "" },
	PAID("B", "paid"),
	{ 0, NULL, NULL, NULL }
};

/* Without a card the trial's end pauses the subscription. */
static const struct sample_step pause[] = {
	{ 0, "customer.created", "A", "" },
	{ 1, "customer.subscription.created", "A", "trialing no_card" },
	{ 0, "invoice.created", "A", "free" },
	{ 0, "invoice.finalized", "A", "open free_paid" },
	{ 0, "invoice.paid", "A", "" },
	{ 0, "invoice.payment_succeeded", "A", "" },
	{ 11 * DAY, "customer.subscription.trial_will_end", "A", "" },
	{ TO_TRIAL_END, "customer.subscription.updated", "A", "paused" },
	{ 0, "customer.subscription.paused", "A", "" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step resumption[] = {
	{ 3 * DAY, "customer.updated", "A", "carded" },
	{ 0, "customer.subscription.updated", "A", "resumed" },
	{ 0, "customer.subscription.resumed", "A", "" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step one_time[] = {
	{ 0, "session", "A", "" },
	{ 30, "customer.created", "A", "" },
	{ 1, "session", "A", "one_time" },
	{ 0, "payment_intent.created", "A", "one_time" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step one_time_paid[] = {
	{ 2, "charge.succeeded", "A", "one_time unsettled" },
	{ 0, "payment_intent.succeeded", "A", "succeeded" },
	{ 0, "checkout.session.completed", "A", "one_time_paid" },
	{ 3, "charge.updated", "A", "settled" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step one_time_left[] = {
	{ 1, "charge.failed", "A", "one_time failed" },
	{ 0, "payment_intent.payment_failed", "A", "declined" },
	{ DAY, "checkout.session.expired", "A", "expired" },
	{ 0, "payment_intent.canceled", "A", "canceled" },
	{ 0, NULL, NULL, NULL }
};

/* Another card pays. */
static const struct sample_step one_time_retried[] = {
	{ 1, "charge.failed", "A", "one_time failed" },
	{ 0, "payment_intent.payment_failed", "A", "declined" },
	{ 45, "charge.succeeded", "A2", "one_time unsettled" },
	{ 0, "payment_intent.succeeded", "A2", "succeeded" },
	{ 0, "checkout.session.completed", "A", "one_time_paid" },
	{ 3, "charge.updated", "A2", "settled" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step one_time_secured[] = {
	{ 1, "payment_intent.requires_action", "A", "action" },
	{ 41, "charge", "A", "one_time secured" },
	{ 0, NULL, NULL, NULL }
};

/* Money from a bank account takes days to come. */
static const struct sample_step one_time_debited[] = {
	{ 0, "session", "A", "" },
	{ 30, "customer.created", "A", "" },
	{ 1, "session", "A", "one_time debit" },
	{ 0, "payment_intent.created", "A", "one_time debit" },
	{ 2, "charge.pending", "A", "one_time debit pending" },
	{ 0, "payment_intent.processing", "A", "processing" },
	{ 0, "checkout.session.completed", "A", "unpaid" },
	{ 3 * DAY, "charge.succeeded", "A", "arrived" },
	{ 0, "payment_intent.succeeded", "A", "succeeded" },
	{ 0, "checkout.session.async_payment_succeeded", "A",
	    "one_time_paid" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step capture[] = {
	{ 0, "payment_intent.amount_capturable_updated", "A",
	    "manual authorized" },
	{ 0, "charge.succeeded", "A", "one_time uncaptured" },
	{ 2 * DAY, "charge.captured", "A", "captured" },
	{ 0, "payment_intent.succeeded", "A", "succeeded" },
	{ 0, "checkout.session.completed", "A", "one_time_paid" },
	{ 0, NULL, NULL, NULL }
};

/* The first payment never came. */
static const struct sample_step expiry[] = {
	{ 1, "payment_intent.requires_action", "A", "action" },
	{ 0, "invoice.payment_action_required", "A", "" },
	{ 23 * 3600, "customer.subscription.updated", "A", "expired" },
	{ 0, "invoice.voided", "A", "void" },
	{ 0, "payment_intent.canceled", "A", "voided" },
	{ 0, NULL, NULL, NULL }
};

static const struct sample_step departure[] = {
	{ 6 * DAY, "invoice.created", "B", "manual" },
	{ 60, "invoice.deleted", "B", "" },
	{ DAY, "customer.subscription.deleted", "A", "canceled" },
	{ 0, "customer.deleted", "A", "" },
	{ 0, NULL, NULL, NULL }
};

const struct sample_life sample_lives[] = {
	{ "trial", 12, { trial } },
	{ "paid", 28, { signup, first_payment, renewal } },
	{ "past_due", 6, { signup, first_payment, failed_renewal } },
	{ "recovered", 8, { signup, first_payment, failed_renewal,
	    recovery } },
	{ "canceled", 8, { signup, first_payment, cancellation } },
	{ "refunded", 6, { signup, first_payment, refunds } },
	{ "disputed", 3, { signup, first_payment, dispute, dispute_lost } },
	{ "3ds", 6, { signup, authenticated, first_payment } },
	{ "won", 2, { signup, first_payment, dispute, dispute_won } },
	{ "given_up", 3, { signup, first_payment, failed_renewal,
	    giving_up } },
	{ "paused", 2, { pause } },
	{ "resumed", 2, { pause, resumption } },
	{ "one_time", 6, { one_time, one_time_paid } },
	/* 0: a seed's mix stays what it was before there were these. */
	{ "retried", 0, { one_time, one_time_retried } },
	{ "secured", 0, { one_time, one_time_secured, one_time_paid } },
	{ "debited", 0, { one_time_debited } },
	{ "abandoned", 3, { one_time, one_time_left } },
	{ "captured", 2, { one_time, capture } },
	{ "expired", 2, { signup, expiry } },
	{ "deleted", 1, { signup, first_payment, departure } },
};
const size_t sample_nlives = N(sample_lives);
