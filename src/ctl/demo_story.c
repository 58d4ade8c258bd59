/* A story: a lifecycle's events, and what a browser needs to watch it. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "ctl/ctl_out.h"
#include "ctl/demo_int.h"
#include "stripe/sample.h"
#include "stripe/token.h"

enum {
	OBJECTS_MAX = 8,
	TOKEN_TTL = 900,	/* seconds */
	COMMAND_MAX = 512
};

/* A payment or subscription of the story. */
struct object {
	char id[SAMPLE_ID_MAX];
	char secret[SAMPLE_ID_MAX];	/* its client_secret, or "" */
	int64_t created;
};

struct story {
	struct sample_options opt;
	struct sample_events *events;
	struct object objects[OBJECTS_MAX];
	size_t nobjects;
};

/* What may be made to happen next, by single events. */
static const struct {
	const char *type, *what;
} nexts[] = {
	{ "payment_intent.succeeded", "Let the payment succeed" },
	{ "payment_intent.payment_failed", "Let the payment fail" },
	{ "payment_intent.requires_action", "Ask the payer for 3-D Secure" },
	{ "customer.subscription.deleted", "Cancel the subscription" },
};

static bool
begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static const struct object *
find_object(const struct story *story, const char *id)
{
	for (size_t i = 0; i < story->nobjects; i++)
		if (strcmp(story->objects[i].id, id) == 0)
			return &story->objects[i];
	return NULL;
}

/* The first object whose id begins so. */
static const struct object *
first_object(const struct story *story, const char *prefix)
{
	for (size_t i = 0; i < story->nobjects; i++)
		if (begins(story->objects[i].id, prefix))
			return &story->objects[i];
	return NULL;
}

static struct json_object *
object_of(struct json_object *root)
{
	struct json_object *object;

	if (json_pointer_get(root, "/data/object", &object) != 0)
		abort();
	return object;
}

static const char *
text_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

/* Notes the event's object, if it is one to watch. */
static void
note(struct story *story, const struct sample_event *ev)
{
	struct json_object *root, *object;
	struct object *o = &story->objects[story->nobjects];

	if (!begins(ev->type, "payment_intent.") &&
	    !begins(ev->type, "customer.subscription."))
		return;
	root = json_tokener_parse(ev->body);
	object = object_of(root);
	if (find_object(story, text_of(object, "id")) == NULL &&
	    story->nobjects < OBJECTS_MAX) {
		const char *secret = text_of(object, "client_secret");

		snprintf(o->id, sizeof(o->id), "%s", text_of(object, "id"));
		snprintf(o->secret, sizeof(o->secret), "%s",
		    secret != NULL ? secret : "");
		o->created = json_object_get_int64(
		    json_object_object_get(object, "created"));
		story->nobjects++;
	}
	json_object_put(root);
}

/* A payment needs no product: what comes before the customer is left out. */
static void
drop_catalogue(struct sample_events *events)
{
	size_t n = 0;

	while (n < events->n && !begins(events->list[n].type, "customer."))
		free(events->list[n++].body);
	events->n -= n;
	memmove(events->list, events->list + n,
	    events->n * sizeof(*events->list));
}

static void
tell(struct story *story, int lifecycle)
{
	struct sample *s = sample_new(&story->opt);

	sample_add_lifecycle(s, lifecycle, story->events);
	sample_free(s);
	for (size_t i = 0; i < story->events->n; i++)
		note(story, &story->events->list[i]);
	if (first_object(story, "sub_") == NULL)
		drop_catalogue(story->events);
}

static void add_command(struct json_object *list, const char *what,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void
add_command(struct json_object *list, const char *what, const char *fmt, ...)
{
	struct json_object *o = json_object_new_object();
	char command[COMMAND_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	out_text(o, "what", what);
	out_text(o, "command", command);
	json_object_array_add(list, o);
}

/* The object of the story that a single event of the type would be of. */
static const struct object *
object_of_type(const struct story *story, const char *type)
{
	struct sample_options opt = story->opt;
	struct sample_events made = { .list = NULL };
	const struct object *found;
	struct json_object *root;
	struct sample *s;
	size_t i = 0;

	while (strcmp(sample_type(i), type) != 0)
		i++;
	opt.born = opt.now;
	s = sample_new(&opt);
	sample_add_types(s, &i, 1, &made);
	sample_free(s);
	root = json_tokener_parse(made.list[0].body);
	found = find_object(story, text_of(object_of(root), "id"));
	json_object_put(root);
	sample_events_free(&made);
	return found;
}

static struct json_object *
commands(const struct story *story, const char *lifecycle,
    const char *program)
{
	struct json_object *list = json_object_new_array();
	bool renews = first_object(story, "sub_") != NULL;
	const struct object *o;

	for (size_t i = 0; i < sizeof(nexts) / sizeof(nexts[0]); i++)
		/* Of a subscription, payments make sense in periods only. */
		if (begins(nexts[i].type, "customer.") == renews &&
		    (o = object_of_type(story, nexts[i].type)) != NULL)
			add_command(list, nexts[i].what, "%s trigger %s "
			    "--seed %" PRIu64 " --born %" PRId64, program,
			    nexts[i].type, story->opt.seed, o->created);
	if (story->nobjects > 0)
		add_command(list, "See the events of it", "%s events "
		    "--object %s", program, story->objects[0].id);
	add_command(list, "Play this again, for a new customer", "%s trigger "
	    "--lifecycle %s --connections 1 --rate 1", program, lifecycle);
	return list;
}

static void
add_token(struct json_object *answer, const char *id,
    const struct config *cfg)
{
	int64_t expiry = clock_wall_us() / 1000000 + TOKEN_TTL;
	char token[TOKEN_MAX];

	out_text(answer, "subscription", id);
	if (cfg->status_keys.n > 0 &&
	    token_make(token, id, expiry, cfg->status_keys.s[0]) == 0)
		out_text(answer, "token", token);
}

static void
add_payment(struct json_object *to, const struct object *o)
{
	out_text(to, "id", o->id);
	out_text(to, "client_secret", o->secret);
}

/* The payments after the first one: of a subscription's next periods. */
static struct json_object *
renewals(const struct story *story, const struct object *first)
{
	struct json_object *list = json_object_new_array(), *o;

	for (size_t i = 0; i < story->nobjects; i++) {
		if (&story->objects[i] == first ||
		    !begins(story->objects[i].id, "pi_"))
			continue;
		o = json_object_new_object();
		add_payment(o, &story->objects[i]);
		json_object_array_add(list, o);
	}
	return list;
}

static int
find_lifecycle(const char *name)
{
	for (size_t i = 0; i < sample_nlifecycles(); i++)
		if (strcmp(sample_lifecycle(i), name) == 0)
			return (int)i;
	return -1;
}

/* A short seed, since people copy it. */
static uint64_t
new_seed(void)
{
	uint32_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		abort();
	return seed;
}

struct json_object *
story_make(struct sample_events *events, const char *lifecycle,
    const struct config *cfg, const char *program)
{
	struct story story = { .events = events, .opt = {
	    .seed = new_seed(), .shape = SAMPLE_BASIL,
	    .now = clock_wall_us() / 1000000 } };
	const struct object *payment, *subscription;
	struct json_object *answer;
	long long lasts = 0;
	int which = find_lifecycle(lifecycle);

	if (which < 0)
		return NULL;
	if (cfg->user_metadata_keys.n > 0)
		story.opt.user_key = cfg->user_metadata_keys.s[0];
	tell(&story, which);
	for (size_t i = 0; i < events->n; i++)
		lasts += player_pause(events, i);
	payment = first_object(&story, "pi_");
	subscription = first_object(&story, "sub_");
	answer = json_object_new_object();
	out_text(answer, "scenario", lifecycle);
	if (payment != NULL)
		add_payment(answer, payment);
	if (subscription != NULL)
		add_token(answer, subscription->id, cfg);
	json_object_object_add(answer, "renewals",
	    renewals(&story, payment));
	out_int(answer, "events", (long long)events->n);
	out_int(answer, "lasts_ms", lasts);
	json_object_object_add(answer, "commands",
	    commands(&story, lifecycle, program));
	return answer;
}
