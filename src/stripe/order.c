/*
 * The ordering key, made by the table below: a list of fields per kind. Each
 * field but the last is big-endian and of fixed width, so that memcmp() and
 * the database's comparison of VARBINARY agree with their order.
 */
#include "stripe/order.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "stripe/event.h"

enum { FIELDS_MAX = 8, WORDS_MAX = 5 };

enum field {
	FIELD_END,
	/* 8 bytes: the object's own created, since an id that a merchant
	 * chose can be deleted and made anew. Missing: the event's. */
	OWN_CREATED,
	OWN_CREATED_OR_0,	/* but 0 for what stands inside another */
	FINAL,			/* 1 byte: nothing can follow this state */
	SOURCE,			/* 1 byte: how much the source knows */
	EVENT_CREATED,		/* 8 bytes */
	STATUS,			/* 1 byte: rank of /status */
	PAYMENT_STATUS,		/* 1 byte: rank of /payment_status */
	ATTEMPTS,		/* 4 bytes: /attempt_count, only grows */
	TYPE,			/* 1 byte: rank of the event type */
	EVENT_ID		/* the rest, as it is: for what stands inside
				   many objects, whose ties no payload settles */
};

/* A word and its rank; a list ends with the rank of all other words. */
struct rank {
	const char *word;
	unsigned char rank;
};

struct spec {
	unsigned char fields[FIELDS_MAX];
	unsigned char source;
	bool price;			/* knows what only prices know */
	const char *final_type;		/* last part of a type that is final */
	const char *final[WORDS_MAX];	/* statuses that are */
	const struct rank *statuses;
	const struct rank *types;	/* by their last part */
};

/* Snapshots fetched by a tool rank below any event of their second. */
enum { RANK_SNAPSHOT = 0, RANK_CREATED = 1, RANK_OTHER = 2, RANK_LAST = 3 };

static const struct rank plain_types[] = {
	{ "created", RANK_CREATED },
	{ "deleted", RANK_LAST },
	{ NULL, RANK_OTHER }
};

static const struct rank intent_types[] = {
	{ "created", RANK_CREATED },
	{ "canceled", RANK_LAST },
	{ "succeeded", RANK_LAST },
	{ NULL, RANK_OTHER }
};

static const struct rank charge_types[] = {
	{ "pending", 1 },
	{ "failed", 2 },
	{ "succeeded", 2 },
	{ "captured", 3 },
	{ "expired", 3 },
	{ "refunded", 5 },
	{ NULL, 4 }		/* updated */
};

static const struct rank closable_types[] = {
	{ "created", RANK_CREATED },
	{ "closed", RANK_LAST },
	{ NULL, RANK_OTHER }
};

static const struct rank session_types[] = {
	{ "async_payment_failed", RANK_LAST },
	{ "async_payment_succeeded", RANK_LAST },
	{ NULL, RANK_OTHER }
};

static const struct rank payment_types[] = {
	{ "created", RANK_CREATED },
	{ "detached", RANK_LAST },
	{ NULL, RANK_OTHER }
};

static const struct rank invoice_statuses[] = {
	{ "draft", 0 },
	{ "open", 1 },
	{ "uncollectible", 2 },
	{ "paid", 3 },
	{ "void", 3 },
	{ NULL, 0 }
};

/* Of sessions: status and payment_status in one list. */
static const struct rank session_statuses[] = {
	{ "open", 0 },
	{ "complete", 1 },
	{ "expired", 1 },
	{ "unpaid", 0 },
	{ "paid", 1 },
	{ "no_payment_required", 1 },
	{ NULL, 0 }
};

#define BY_TIME { OWN_CREATED, EVENT_CREATED, TYPE }
#define BY_STATE { OWN_CREATED, FINAL, EVENT_CREATED, TYPE }
#define BY_SOURCE { OWN_CREATED, FINAL, SOURCE, EVENT_CREATED, TYPE }

static const struct spec specs[ORDER__MAX] = {
	[ORDER_SUBSCRIPTION] = { .fields = BY_STATE,
	    .final = { "canceled", "incomplete_expired" },
	    .final_type = "deleted", .types = plain_types },
	[ORDER_INVOICE] = { .fields = { OWN_CREATED, FINAL, EVENT_CREATED,
	    STATUS, ATTEMPTS, TYPE }, .final = { "void" },
	    .final_type = "deleted", .statuses = invoice_statuses,
	    .types = plain_types },
	[ORDER_INTENT] = { .fields = BY_STATE,
	    .final = { "succeeded", "canceled" }, .types = intent_types },
	[ORDER_CHARGE] = { .fields = BY_TIME, .types = charge_types },
	[ORDER_REFUND] = { .fields = BY_TIME, .types = closable_types },
	[ORDER_DISPUTE] = { .fields = BY_TIME, .types = closable_types },
	[ORDER_SESSION] = { .fields = { OWN_CREATED, STATUS, PAYMENT_STATUS,
	    EVENT_CREATED, TYPE }, .statuses = session_statuses,
	    .types = session_types },
	[ORDER_CUSTOMER] = { .fields = BY_STATE, .final_type = "deleted",
	    .types = plain_types },
	[ORDER_PRODUCT] = { .fields = BY_STATE, .final_type = "deleted",
	    .types = plain_types },
	/* A detached payment is gone from its invoice. */
	[ORDER_INVOICE_PAYMENT] = { .fields = BY_STATE,
	    .final_type = "detached", .types = payment_types },
	[ORDER_PRICE] = { .fields = BY_SOURCE, .source = 3, .price = true,
	    .final_type = "deleted", .types = plain_types },
	[ORDER_PLAN] = { .fields = BY_SOURCE, .source = 2,
	    .final_type = "deleted", .types = plain_types },
	/* The event's type speaks of the subscription, not of these. */
	[ORDER_PRICE_INSIDE] = { .fields = { OWN_CREATED_OR_0, FINAL, SOURCE,
	    EVENT_CREATED, TYPE, EVENT_ID }, .source = 1, .price = true,
	    .types = plain_types },
	[ORDER_PLAN_INSIDE] = { .fields = { OWN_CREATED_OR_0, FINAL, SOURCE,
	    EVENT_CREATED, TYPE, EVENT_ID }, .source = 1,
	    .types = plain_types },
	[ORDER_USER_SESSION] = { .fields = { SOURCE, EVENT_CREATED, TYPE,
	    EVENT_ID }, .source = 2, .types = session_types },
	[ORDER_USER_SUBSCRIPTION] = { .fields = { SOURCE, EVENT_CREATED,
	    TYPE, EVENT_ID }, .source = 1, .types = plain_types },
};

static unsigned char
rank_of(const struct rank *list, const char *word)
{
	while (list->word != NULL &&
	    (word == NULL || strcmp(list->word, word) != 0))
		list++;
	return list->rank;
}

/* Whether the event's type ends in ".last". */
static bool
type_ends(const struct event *ev, const char *last)
{
	const char *dot = strrchr(ev->type, '.');

	return last != NULL && dot != NULL && strcmp(dot + 1, last) == 0;
}

static unsigned char
type_rank(const struct spec *spec, const struct event *ev)
{
	const char *dot = strrchr(ev->type, '.');

	if (strcmp(ev->type, ORDER_SNAPSHOT_TYPE) == 0)
		return RANK_SNAPSHOT;
	return rank_of(spec->types, dot != NULL ? dot + 1 : NULL);
}

/* The string of that name in the object, or NULL. */
static const char *
word(struct json_object *object, const char *name)
{
	struct json_object *json;

	if (!json_object_object_get_ex(object, name, &json) ||
	    !json_object_is_type(json, json_type_string))
		return NULL;
	return json_object_get_string(json);
}

/* The integer of that name in the object, or what to take if it has none. */
static int64_t
number(struct json_object *object, const char *name, int64_t none)
{
	struct json_object *json;

	if (!json_object_object_get_ex(object, name, &json) ||
	    !json_object_is_type(json, json_type_int))
		return none;
	return json_object_get_int64(json);
}

static bool
is_final(const struct spec *spec, const struct event *ev,
    struct json_object *object)
{
	const char *status = word(object, "status");
	struct json_object *json;

	if (type_ends(ev, spec->final_type))
		return true;
	if (json_object_object_get_ex(object, "deleted", &json) &&
	    json_object_get_boolean(json))
		return true;
	for (size_t i = 0; spec->final[i] != NULL; i++)
		if (status != NULL && strcmp(status, spec->final[i]) == 0)
			return true;
	return false;
}

/* Appends n as that many bytes; what doesn't fit becomes the limit. */
static size_t
put(unsigned char *at, int64_t n, size_t bytes)
{
	int64_t max = bytes < 8 ? ((int64_t)1 << (8 * bytes)) - 1 : INT64_MAX;

	if (n < 0)
		n = 0;
	if (n > max)
		n = max;
	for (size_t i = bytes; i-- > 0; n >>= 8)
		at[i] = (unsigned char)(n & 0xff);
	return bytes;
}

/* Appends the event's id, as much as fits behind len bytes of key. */
static size_t
put_id(unsigned char *key, size_t len, const struct event *ev)
{
	size_t n = strlen(ev->id);

	if (n > ORDER_KEY_MAX - len)
		n = ORDER_KEY_MAX - len;
	memcpy(key + len, ev->id, n);
	return n;
}

static size_t
put_field(unsigned char *at, enum field field, const struct spec *spec,
    const struct event *ev, struct json_object *object)
{
	switch (field) {
	case FIELD_END:
	case EVENT_ID:
		break;
	case OWN_CREATED:
		return put(at, number(object, "created", ev->created), 8);
	case OWN_CREATED_OR_0:
		return put(at, number(object, "created", 0), 8);
	case FINAL:
		return put(at, is_final(spec, ev, object), 1);
	case SOURCE:
		return put(at, spec->source, 1);
	case EVENT_CREATED:
		return put(at, ev->created, 8);
	case STATUS:
		return put(at, rank_of(spec->statuses,
		    word(object, "status")), 1);
	case PAYMENT_STATUS:
		return put(at, rank_of(spec->statuses,
		    word(object, "payment_status")), 1);
	case ATTEMPTS:
		return put(at, number(object, "attempt_count", 0), 4);
	case TYPE:
		return put(at, type_rank(spec, ev), 1);
	}
	return 0;
}

size_t
order_key_make(unsigned char key[ORDER_KEY_MAX], enum order_kind kind,
    const struct event *ev, struct json_object *object)
{
	const struct spec *spec = &specs[kind];
	size_t len = 0;

	for (size_t i = 0; i < FIELDS_MAX; i++)
		len += spec->fields[i] == EVENT_ID ? put_id(key, len, ev) :
		    put_field(key + len, spec->fields[i], spec, ev, object);
	return len;
}

size_t
order_price_key_make(unsigned char key[ORDER_KEY_MAX], enum order_kind kind,
    const struct event *ev, struct json_object *object)
{
	size_t len;

	if (!specs[kind].price)
		return 0;
	len = order_key_make(key, kind, ev, object);
	return len > ORDER_PRICE_WIDTH ? len : len + put_id(key, len, ev);
}
