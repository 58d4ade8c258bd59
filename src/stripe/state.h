/*
 * What a front end is told of an object: Stripe's statuses reduced to the
 * state that a payer cares about, and whether more will come by itself.
 */
#ifndef STRIPE_STATE_H
#define STRIPE_STATE_H

#include <stdbool.h>
#include <stddef.h>

/* The kinds of object that the status route knows, by the id's prefix. */
enum object_kind {
	KIND_PAYMENT_INTENT, KIND_SETUP_INTENT, KIND_SUBSCRIPTION,
	KIND_INVOICE, KIND_CHECKOUT_SESSION, KIND__MAX
};

struct kind_info {
	const char *prefix;	/* of its ids */
	const char *object;	/* Stripe's name */
	bool has_secret;	/* it has a client_secret of its own */
};

extern const struct kind_info state_kinds[KIND__MAX];

/*
 * The kind of an id: a known prefix, then letters, digits and underscores, at
 * most 255 bytes in all. Returns false for anything else.
 */
bool state_kind(const char *id, size_t len, enum object_kind *kind);

struct state {
	const char *state;	/* static text, or the status given */
	bool final;		/* nothing more happens by itself */
};

/*
 * The state for one of Stripe's statuses. failed says that a payment's last
 * attempt has an error; "pending" is the state of what isn't known.
 */
struct state state_of(enum object_kind kind, const char *status, bool failed);

/*
 * The state of a Checkout Session: its own until it is complete, then that of
 * what it pays: a PaymentIntent or SetupIntent of this status (NULL: nothing is
 * known of it), whose last attempt failed or not; a subscription's goes by
 * payment_status alone.
 */
struct state state_of_session(const char *status, const char *payment_status,
    enum object_kind paid_kind, const char *paid_status, bool failed);

#endif
