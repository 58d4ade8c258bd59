/*
 * Between the parts of the generator: its run (sample.c) and each step of it
 * (sample_step.c), trees from templates (sample_tree.c), what stands for their
 * variables (sample_value.c, sample_id.c); as data, the objects
 * (sample_template.c), the states that they pass through (sample_state.c),
 * types (sample_type.c) and lifecycles (sample_life.c).
 *
 * Templates are JSON with ' for ". A key that begins with '-' is there up to
 * acacia, one with '+' from basil on. "$name" is a variable's value, "$(name)"
 * its text inside another, "$now+60" a time, "@name" another template, "$none"
 * takes a key away.
 */
#ifndef STRIPE_SAMPLE_INT_H
#define STRIPE_SAMPLE_INT_H

#include "stripe/sample.h"

/* A kind of object, or what stands inside several. */
struct sample_template {
	const char *name;
	const char *types;	/* events of it begin so, or so ('|'); NULL:
				   it stands inside others */
	const char *id;		/* variable that holds its id */
	bool basil;		/* not in lifecycles before basil */
	bool asked;		/* made by a request of the shop */
	const char *text;
};

extern const struct sample_template sample_templates[];
extern const size_t sample_ntemplates;

/* What changes in an object that gets into a state. */
struct sample_state {
	const char *template, *name, *text;
};

extern const struct sample_state sample_states[];
extern const size_t sample_nstates;

enum {
	SAMPLE_BASE = 1767225600, /* 2026-01-01, where seeded times begin */
	DAY = 86400,
	TRIAL = 14 * DAY,
	/* Delays other than seconds: to the end of the subscription's */
	TO_TRIAL_END = -1,
	TO_PERIOD_END = -2
};

/*
 * A step of a lifecycle: after so long an object (made if it isn't there)
 * gets into states, and an event says so, if type is one and not just the
 * name of a template. The branch tells apart what a customer has several of:
 * a letter per payment with its invoice, a digit per charge for it, a digit
 * per refund or dispute of the charge.
 */
struct sample_step {
	int delay;
	const char *type;
	const char *branch;
	const char *states;	/* separated by spaces */
};

/* A single event: in which states its object was, and which it got into. */
struct sample_single {
	const char *type;
	const char *branch;
	const char *before, *states;
};

extern const struct sample_single sample_singles[];
extern const size_t sample_nsingles;

/* A list of steps, ended by one without a type. */
enum { LIFE_PARTS = 4 };

struct sample_life {
	const char *name;
	unsigned percent;	/* of the mix */
	const struct sample_step *parts[LIFE_PARTS];
};

extern const struct sample_life sample_lives[];
extern const size_t sample_nlives;
extern const struct sample_step sample_catalogue[];

/* What the shop sells. */
struct sample_plan {
	const char *product, *description, *tier, *nickname, *lookup_key;
	int amount;
	const char *currency;
	const char *debit;	/* how bank accounts pay there, in days */
	const char *line;	/* of an invoice */
};

enum { SAMPLE_PLANS = 5, OBJECTS_MAX = 32, BRANCH = 3 };

extern const struct sample_plan sample_plans[SAMPLE_PLANS];

/* An object of the customer in hand. */
struct sample_object {
	size_t template;
	char id[SAMPLE_ID_MAX];
	struct json_object *json;
};

struct sample {
	struct sample_options opt;
	struct json_object **templates, **states;	/* parsed */
	uint64_t round;		/* of the customer in hand */
	bool own_catalogue;	/* products are the customer's alone */
	uint32_t introduced;	/* plans whose product.created was made */
	unsigned plan;
	unsigned serial;	/* events of this round */
	char branch[BRANCH];
	int64_t start, now;	/* of the round */
	int64_t anchor;		/* start of the subscription's period */
	int64_t before;		/* start of the one before it */
	struct sample_object objects[OBJECTS_MAX];
	size_t nobjects;
};

/* Makes what the step says; events go to out. */
void sample_run_step(struct sample *s, const struct sample_step *step,
    struct sample_events *out);

/* The same for a single event, of an object of its own. */
void sample_run_single(struct sample *s, const struct sample_single *single,
    struct sample_events *out);

/* When a step is made that comes so long after another. */
int64_t sample_later(int64_t now, int64_t anchor, int delay);

/* Frees the objects of the customer in hand. */
void sample_forget(struct sample *s);

/* The position of a template of this name; it is there. */
size_t sample_template_find(const char *name);

/* What a template makes of the variables as they are now. */
struct json_object *sample_build(struct sample *s, struct json_object *text);

/*
 * Changes object as patch says. previous, if not NULL, gets the old values of
 * what differs: of a hash the changed keys, of a list all of it.
 */
void sample_merge(struct json_object *object, struct json_object *patch,
    struct json_object *previous);

/* The value of a variable, a new reference. */
struct json_object *sample_value(struct sample *s, const char *name);

/* The id that the variable of this name holds. */
void sample_id(const struct sample *s, const char *name,
    char id[SAMPLE_ID_MAX]);

/* A number of the customer in hand, or of the event in hand, and a name. */
uint64_t sample_number(const struct sample *s, const char *name);
uint64_t sample_event_number(const struct sample *s, const char *name);

/* One calendar month later. */
int64_t sample_month_after(int64_t t);

/* When the shop's products were made. */
int64_t sample_catalogue_time(const struct sample *s);

#endif
