/* Makes the objects and events of each step. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stripe/sample_int.h"

enum { AGE = 60 };	/* of an object when a single event is made */

static const char *const versions[] = {
	[SAMPLE_ACACIA] = "2025-02-24.acacia",
	[SAMPLE_BASIL] = "2025-08-27.basil",
};

size_t
sample_template_find(const char *name)
{
	for (size_t i = 0; i < sample_ntemplates; i++)
		if (strcmp(sample_templates[i].name, name) == 0)
			return i;
	abort();
}

/* How much of the type one of the prefixes is; 0 for none. */
static size_t
fits(const char *prefixes, const char *type)
{
	size_t len;

	for (; prefixes != NULL && *prefixes != '\0'; prefixes += len) {
		prefixes += *prefixes == '|';
		len = strcspn(prefixes, "|");
		if (strncmp(prefixes, type, len) == 0)
			return len;
	}
	return 0;
}

/* The template that a type's events hold: the longest prefix says. */
static size_t
template_of(const char *type)
{
	size_t best = 0, longest = 0, len;

	for (size_t i = 0; i < sample_ntemplates; i++) {
		len = fits(sample_templates[i].types, type);
		if (len > longest) {
			longest = len;
			best = i;
		}
	}
	return longest > 0 ? best : sample_template_find(type);
}

/* The object in hand; it is made if it isn't there. */
static struct json_object *
object_of(struct sample *s, size_t template)
{
	struct sample_object *o;
	char id[SAMPLE_ID_MAX];

	sample_id(s, sample_templates[template].id, id);
	for (size_t i = 0; i < s->nobjects; i++)
		if (s->objects[i].template == template &&
		    strcmp(s->objects[i].id, id) == 0)
			return s->objects[i].json;
	if (s->nobjects == OBJECTS_MAX)
		abort();
	o = &s->objects[s->nobjects++];
	o->template = template;
	memcpy(o->id, id, sizeof(id));
	o->json = sample_build(s, s->templates[template]);
	if (strcmp(sample_templates[template].name, "subscription") == 0)
		s->anchor = s->now;
	return o->json;
}

static size_t
state_find(const char *template, const char *name, size_t len)
{
	for (size_t i = 0; i < sample_nstates; i++)
		if (strcmp(sample_states[i].template, template) == 0 &&
		    strlen(sample_states[i].name) == len &&
		    strncmp(sample_states[i].name, name, len) == 0)
			return i;
	fprintf(stderr, "no state %.*s of %s\n", (int)len, name, template);
	abort();
}

/* Gets the object into each of the states; previous as sample_merge(). */
static void
change(struct sample *s, size_t template, struct json_object *object,
    const char *states, struct json_object *previous)
{
	const char *name = sample_templates[template].name;
	struct json_object *patch;
	size_t len;

	for (; *states != '\0'; states += len) {
		states += *states == ' ';
		len = strcspn(states, " ");
		patch = sample_build(s,
		    s->states[state_find(name, states, len)]);
		sample_merge(object, patch, previous);
		json_object_put(patch);
	}
}

static bool
type_ends(const char *type, const char *end)
{
	size_t n = strlen(type), len = strlen(end);

	return n >= len && strcmp(type + n - len, end) == 0;
}

/* Whether events of the type name what was before. */
static bool
names_past(const char *type)
{
	return type_ends(type, ".updated") ||
	    strcmp(type, "charge.refunded") == 0 ||
	    strcmp(type, "charge.captured") == 0;
}

static void
put(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add_ex(object, key, value,
	    JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

static void
put_text(struct json_object *object, const char *key, const char *text)
{
	put(object, key, json_object_new_string(text));
}

/* Who asked for it: nobody, where Stripe acts on its own. */
static struct json_object *
request_of(struct sample *s, bool asked)
{
	struct json_object *request = json_object_new_object();

	put(request, "id", asked ? sample_value(s, "req") : NULL);
	put(request, "idempotency_key",
	    asked ? sample_value(s, "idempotency_key") : NULL);
	return request;
}

static struct sample_event *
add_event(struct sample_events *out)
{
	if (out->n == out->room) {
		out->room = out->room * 2 + 16;
		out->list = mem_reallocarray(out->list, out->room,
		    sizeof(*out->list));
	}
	return &out->list[out->n++];
}

/* Payments' events have another mark in their ids. */
static bool
of_payment(const char *template)
{
	return strcmp(template, "payment_intent") == 0 ||
	    strcmp(template, "charge") == 0 ||
	    strcmp(template, "refund") == 0;
}

static void
emit(struct sample *s, const char *type, size_t template,
    struct json_object *object, struct json_object *previous,
    struct sample_events *out)
{
	const struct sample_template *t = &sample_templates[template];
	struct json_object *root = json_object_new_object();
	struct json_object *data = json_object_new_object();
	struct sample_event *ev = add_event(out);

	s->serial++;
	sample_id(s, of_payment(t->name) ? "evt_3" : "evt_1", ev->id);
	ev->type = type;
	put(data, "object", json_object_get(object));
	if (previous != NULL && json_object_object_length(previous) > 0)
		put(data, "previous_attributes", json_object_get(previous));
	put_text(root, "id", ev->id);
	put_text(root, "object", "event");
	put_text(root, "api_version", versions[s->opt.shape]);
	ev->created = s->opt.same_second ? s->start : s->now;
	put(root, "created", json_object_new_int64(ev->created));
	put(root, "data", data);
	put(root, "livemode", json_object_new_boolean(s->opt.livemode));
	put(root, "pending_webhooks", json_object_new_int(1));
	put(root, "request", request_of(s,
	    t->asked && type_ends(type, ".created")));
	put_text(root, "type", type);
	ev->body = sample_print(root, s->opt.shape, &ev->len);
	json_object_put(root);
}

static void
set_branch(struct sample *s, const char *branch)
{
	memcpy(s->branch, "A11", BRANCH);
	memcpy(s->branch, branch, strnlen(branch, BRANCH));
}

/* When a step is made. */
int64_t
sample_later(int64_t now, int64_t anchor, int delay)
{
	if (delay == TO_TRIAL_END)
		return anchor + TRIAL;
	if (delay == TO_PERIOD_END)
		return sample_month_after(anchor);
	return now + delay;
}

static void
advance(struct sample *s, int delay)
{
	s->now = sample_later(s->now, s->anchor, delay);
	if (delay >= 0)
		return;
	s->before = s->anchor;
	s->anchor = s->now;
}

void
sample_run_step(struct sample *s, const struct sample_step *step,
    struct sample_events *out)
{
	size_t template = template_of(step->type);
	bool silent = strcmp(sample_templates[template].name,
	    step->type) == 0;
	struct json_object *object, *previous = NULL;

	advance(s, step->delay);
	if (sample_templates[template].basil && s->opt.shape == SAMPLE_ACACIA)
		return;
	set_branch(s, step->branch);
	object = object_of(s, template);
	if (names_past(step->type))
		previous = json_object_new_object();
	change(s, template, object, step->states, previous);
	if (!silent)
		emit(s, step->type, template, object, previous, out);
	json_object_put(previous);
}

void
sample_forget(struct sample *s)
{
	while (s->nobjects > 0)
		json_object_put(s->objects[--s->nobjects].json);
}

/* When the object of a single event was made. */
static int64_t
birth(const struct sample *s, const struct sample_single *single)
{
	if (s->opt.born != 0)
		return s->opt.born;
	return single->before[0] == '\0' && single->states[0] == '\0' ?
	    s->now : s->start - AGE;
}

void
sample_run_single(struct sample *s, const struct sample_single *single,
    struct sample_events *out)
{
	size_t template = template_of(single->type);
	struct json_object *object, *previous = NULL;
	int64_t now = s->now;

	set_branch(s, single->branch);
	sample_forget(s);
	s->now = birth(s, single);
	object = object_of(s, template);
	change(s, template, object, single->before, NULL);
	s->now = now;
	if (names_past(single->type))
		previous = json_object_new_object();
	change(s, template, object, single->states, previous);
	emit(s, single->type, template, object, previous, out);
	json_object_put(previous);
}
