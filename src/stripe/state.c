/* Tables from Stripe's statuses to states. */
#include "stripe/state.h"

#include <ctype.h>
#include <string.h>

const struct kind_info state_kinds[KIND__MAX] = {
	[KIND_PAYMENT_INTENT] = { "pi_", "payment_intent", true },
	[KIND_SETUP_INTENT] = { "seti_", "setup_intent", true },
	[KIND_SUBSCRIPTION] = { "sub_", "subscription", false },
	[KIND_INVOICE] = { "in_", "invoice", false },
	[KIND_CHECKOUT_SESSION] = { "cs_", "checkout.session", true },
};

enum { ID_MAX = 255 };

bool
state_kind(const char *id, size_t len, enum object_kind *kind)
{
	if (len > ID_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)id[i]) && id[i] != '_')
			return false;
	for (unsigned k = 0; k < KIND__MAX; k++) {
		size_t n = strlen(state_kinds[k].prefix);

		if (len > n && memcmp(id, state_kinds[k].prefix, n) == 0) {
			*kind = (enum object_kind)k;
			return true;
		}
	}
	return false;
}

/* A status that isn't here is its own state, and not final. */
static const struct {
	enum object_kind kind;
	const char *status, *state;
	bool final;
} states[] = {
	{ KIND_PAYMENT_INTENT, "requires_payment_method", "pending", false },
	{ KIND_PAYMENT_INTENT, "requires_confirmation", "pending", false },
	{ KIND_PAYMENT_INTENT, "requires_action", "requires_action", false },
	{ KIND_PAYMENT_INTENT, "processing", "processing", false },
	{ KIND_PAYMENT_INTENT, "requires_capture", "authorized", false },
	{ KIND_PAYMENT_INTENT, "succeeded", "succeeded", true },
	{ KIND_PAYMENT_INTENT, "canceled", "canceled", true },
	{ KIND_SETUP_INTENT, "requires_payment_method", "pending", false },
	{ KIND_SETUP_INTENT, "requires_confirmation", "pending", false },
	{ KIND_SETUP_INTENT, "requires_action", "requires_action", false },
	{ KIND_SETUP_INTENT, "processing", "processing", false },
	{ KIND_SETUP_INTENT, "succeeded", "succeeded", true },
	{ KIND_SETUP_INTENT, "canceled", "canceled", true },
	{ KIND_SUBSCRIPTION, "canceled", "canceled", true },
	{ KIND_SUBSCRIPTION, "incomplete_expired", "incomplete_expired", true },
	{ KIND_INVOICE, "paid", "paid", true },
	{ KIND_INVOICE, "void", "void", true },
	{ KIND_INVOICE, "deleted", "deleted", true },
	{ KIND_CHECKOUT_SESSION, "expired", "expired", true },
};

struct state
state_of(enum object_kind kind, const char *status, bool failed)
{
	bool payment = kind == KIND_PAYMENT_INTENT || kind == KIND_SETUP_INTENT;

	if (status == NULL)
		return (struct state){ "pending", false };
	/* A retry uses the same intent, so this isn't its end. */
	if (payment && failed &&
	    strcmp(status, "requires_payment_method") == 0)
		return (struct state){ "failed", false };
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (states[i].kind == kind &&
		    strcmp(states[i].status, status) == 0)
			return (struct state){ states[i].state,
			    states[i].final };
	return (struct state){ status, false };
}

/*
 * What a session is told to have come to, by its payment_status. "unpaid"
 * isn't here: that goes by what it pays.
 */
static const struct {
	const char *payment_status, *state;
} settled[] = {
	{ "paid", "succeeded" },
	{ "no_payment_required", "succeeded" },
};

struct state
state_of_session(const char *status, const char *payment_status,
    enum object_kind paid_kind, const char *paid_status, bool failed)
{
	struct state paid;

	if (status == NULL || strcmp(status, "complete") != 0)
		return state_of(KIND_CHECKOUT_SESSION, status, false);
	for (size_t i = 0; payment_status != NULL &&
	    i < sizeof(settled) / sizeof(settled[0]); i++)
		if (strcmp(settled[i].payment_status, payment_status) == 0)
			return (struct state){ settled[i].state, true };
	paid = state_of(paid_kind, paid_status, failed);
	/* Nothing is known of it yet: a bank that takes days, say. */
	if (strcmp(paid.state, "pending") == 0 || paid_kind ==
	    KIND_SUBSCRIPTION)
		return (struct state){ "processing", false };
	/* Who completed a session can't try again in it. */
	return (struct state){ paid.state,
	    paid.final || strcmp(paid.state, "failed") == 0 };
}
