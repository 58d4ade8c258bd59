/*
 * The ordering key: which of an object's snapshots is the newest. Keys of one
 * table compare bytewise, the largest wins. Equal keys of different events
 * are ties, which are settled elsewhere. Pure: no I/O.
 */
#ifndef STRIPE_ORDER_H
#define STRIPE_ORDER_H

#include <stddef.h>

#include "stripe/mapping.h"

struct event;
struct json_object;

/* The type of events that hold what a tool fetched from Stripe's API. */
#define ORDER_SNAPSHOT_TYPE "stripehook.snapshot"

#define ORDER_PRICE_WIDTH 19	/* as text it goes into SQL */

/* Where keys of invoices have the status: behind created, final, created. */
enum { ORDER_INVOICE_STATUS = 8 + 1 + 8 + 1 };

enum order_kind {
	ORDER_SUBSCRIPTION,
	ORDER_INVOICE,
	ORDER_INTENT,		/* payment intents, setup intents */
	ORDER_CHARGE,
	ORDER_REFUND,
	ORDER_DISPUTE,
	ORDER_SESSION,
	ORDER_CUSTOMER,
	ORDER_PRODUCT,
	ORDER_INVOICE_PAYMENT,
	ORDER_PRICE,		/* of a price.* event */
	ORDER_PLAN,		/* of a plan.* event */
	ORDER_PRICE_INSIDE,	/* price in a subscription's item */
	ORDER_PLAN_INSIDE,	/* plan in one that has no price */
	ORDER_USER_SESSION,	/* customer_users, by a checkout session */
	ORDER_USER_SUBSCRIPTION, /* customer_users, by a subscription */
	ORDER__MAX
};

/*
 * Makes the key of one object in an event, which is data.object or something
 * inside it. Returns its length.
 */
size_t order_key_make(unsigned char key[ORDER_KEY_MAX], enum order_kind kind,
    const struct event *ev, struct json_object *object);

/*
 * Makes the key of what only price objects know (plans.price_order_key): the
 * price's ordering key of ORDER_PRICE_WIDTH bytes, then the event's id, so
 * that it never ties. Returns its length, 0 for a kind that isn't a price.
 */
size_t order_price_key_make(unsigned char key[ORDER_KEY_MAX],
    enum order_kind kind, const struct event *ev, struct json_object *object);

#endif
