/*
 * One Stripe event, from the raw body to checked fields. Pure: no I/O.
 * Strings are copied into the caller's obstack; the JSON tree lives until
 * event_drop_json(), which callers do as soon as the rows are made, since a
 * tree is many times the size of its text.
 */
#ifndef STRIPE_EVENT_H
#define STRIPE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"

struct json_object;
struct obstack;

struct event {
	const char *id;			/* printable ASCII, 1..255 bytes */
	const char *type;		/* printable ASCII, 1..255 bytes */
	const char *object_id;		/* data.object.id, "" if none */
	const char *account;		/* Connect account, "" if none */
	const char *api_version;	/* NULL if none */
	int64_t created;		/* unix seconds */
	bool livemode;
	bool thin;			/* object "v2.core.event" */
	size_t size;			/* bytes of the body */
	struct json_object *root;	/* the tree; the next two borrow */
	struct json_object *object;	/* data.object, NULL when thin */
	struct json_object *previous;	/* data.previous_attributes or NULL */
};

/* Why an event is kept and not applied, whatever its type. */
#define EVENT_OTHER_SECRET "its livemode is not the one that " \
	"STRIPE_WEBHOOK_SECRET gives the secret it was signed with"
#define EVENT_OTHER_MODE "its livemode is not the one of STRIPEHOOK_LIVEMODE"

/*
 * Parses a body whose signature was checked. Returns OUT_OK, OUT_BAD_JSON or
 * OUT_NO_EVENT; on error why points to static text that says what is wrong,
 * and nothing is left to free. Out of memory ends the process.
 */
enum outcome event_parse(struct event *ev, struct obstack *mem,
    const char *body, size_t len, const char **why)
    __attribute__((warn_unused_result));

/* Frees the JSON tree; the strings stay. Safe to repeat. */
void event_drop_json(struct event *ev);

#endif
