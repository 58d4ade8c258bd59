/*
 * The event types, as data: in the order in which one may follow another when
 * a pattern asks for several. A branch (sample_int.h) keeps apart those that
 * can't be of the same object.
 */
#include "stripe/sample_int.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

const struct sample_single sample_singles[] = {
	{ "product.created", "A", "", "" },
	{ "product.updated", "A", "", "described" },
	{ "price.created", "A", "", "" },
	{ "price.updated", "A", "", "renamed" },
	{ "plan.created", "A", "", "" },
	{ "plan.updated", "A", "", "renamed" },
	{ "customer.created", "A", "", "" },
	{ "customer.updated", "A", "", "carded" },

	{ "setup_intent.created", "A", "", "" },
	{ "setup_intent.requires_action", "A", "", "action" },
	{ "setup_intent.setup_failed", "A", "", "failed" },
	{ "setup_intent.succeeded", "A", "", "succeeded" },
	{ "setup_intent.canceled", "X", "", "canceled" },

	{ "customer.subscription.created", "A", "", "" },
	{ "customer.subscription.trial_will_end", "A", "", "trialing" },
	{ "customer.subscription.updated", "A", "", "active" },
	{ "customer.subscription.paused", "A", "trialing no_card", "paused" },
	{ "customer.subscription.resumed", "A", "paused", "resumed" },
	{ "customer.subscription.pending_update_applied", "A",
	    "active pending", "settled seats" },
	{ "customer.subscription.pending_update_expired", "A",
	    "active pending", "settled" },
	{ "customer.subscription.deleted", "A", "active", "canceled" },

	{ "invoice.upcoming", "A", "", "cycle upcoming" },
	{ "invoice.created", "A", "", "" },
	{ "invoice.updated", "A", "", "noted" },
	{ "invoice.finalization_failed", "A", "noted", "unfinalized" },
	{ "invoice.finalized", "A", "noted", "open" },
	{ "invoice.payment_attempt_required", "A", "noted", "open" },
	{ "invoice.payment_action_required", "A", "noted", "open" },
	{ "invoice.payment_failed", "A", "noted open", "failed_1" },
	{ "invoice.paid", "A", "noted open", "paid" },
	{ "invoice.payment_succeeded", "A", "noted open", "paid" },
	{ "invoice.overpaid", "A", "noted open", "paid overpaid" },
	{ "invoice.sent", "B", "manual open", "" },
	{ "invoice.will_be_due", "B", "manual open", "" },
	{ "invoice.overdue", "B", "manual open", "overdue" },
	{ "invoice.marked_uncollectible", "B", "manual open overdue",
	    "uncollectible" },
	{ "invoice.voided", "C", "manual open", "void" },
	{ "invoice.deleted", "D", "manual", "" },

	{ "payment_intent.created", "A", "", "" },
	{ "payment_intent.requires_action", "A", "", "action" },
	{ "payment_intent.payment_failed", "A", "", "declined" },
	{ "payment_intent.processing", "A", "", "processing" },
	{ "payment_intent.succeeded", "A", "", "succeeded" },
	{ "payment_intent.amount_capturable_updated", "E", "one_time manual",
	    "authorized" },
	{ "payment_intent.partially_funded", "F", "one_time", "transfer" },
	{ "payment_intent.canceled", "G", "one_time", "canceled" },

	{ "charge.pending", "A", "", "pending" },
	{ "charge.succeeded", "A", "", "" },
	{ "charge.updated", "A", "unsettled", "settled" },
	{ "charge.failed", "A2", "", "failed" },
	{ "charge.captured", "E", "one_time uncaptured", "captured" },
	{ "charge.expired", "G", "one_time uncaptured", "released" },

	{ "invoice_payment.paid", "A", "", "paid" },

	{ "refund.created", "A", "full pending", "" },
	{ "charge.refunded", "A", "", "refunded" },
	{ "refund.updated", "A", "full", "referenced" },
	{ "charge.refund.updated", "A", "full", "referenced" },
	{ "refund.failed", "A", "full", "failed" },

	{ "charge.dispute.created", "A", "", "" },
	{ "charge.dispute.funds_withdrawn", "A", "", "withdrawn" },
	{ "charge.dispute.updated", "A", "withdrawn", "review" },
	{ "charge.dispute.closed", "A", "withdrawn review", "won" },
	{ "charge.dispute.funds_reinstated", "A", "withdrawn review won",
	    "reinstated" },

	{ "checkout.session.completed", "A", "", "complete" },
	{ "checkout.session.async_payment_succeeded", "E", "one_time unpaid",
	    "one_time_paid" },
	{ "checkout.session.async_payment_failed", "F", "one_time", "unpaid" },
	{ "checkout.session.expired", "G", "one_time", "expired" },

	{ "customer.deleted", "A", "", "" },
	{ "plan.deleted", "A", "", "retired" },
	{ "price.deleted", "A", "", "retired" },
	{ "product.deleted", "A", "", "retired" },
};
const size_t sample_nsingles = N(sample_singles);
