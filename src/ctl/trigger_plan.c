/* Makes rounds of sample events and lines them up. */
#include "ctl/trigger_plan.h"

#include <stdlib.h>

#include "base/mem.h"

/* Deliveries that are shuffled among each other: some 200 MB. */
enum { WINDOW = 40000 };

struct plan {
	struct plan_options opt;
	struct sample *sample;
	uint64_t round, rounds, events;
	uint64_t state;		/* of what is random here */
	struct plan_event **line;
	size_t n, room, next;
};

struct plan *
plan_new(const struct plan_options *opt, struct sample *sample)
{
	struct plan *plan = mem_calloc(1, sizeof(*plan));

	plan->opt = *opt;
	plan->sample = sample;
	plan->rounds = opt->count * (opt->ntypes > 0 ? 1 : opt->nlives);
	plan->state = ~opt->seed;
	return plan;
}

void
plan_release(struct plan_event *ev)
{
	if (ev == NULL || --ev->refs > 0)
		return;
	free(ev->ev.body);
	free(ev);
}

void
plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	while (plan->next < plan->n)
		plan_release(plan->line[plan->next++]);
	free(plan->line);
	free(plan);
}

/* From 0 up to, not including, 1. */
static double
fraction(uint64_t *state)
{
	return (double)(sample_random(state) >> 11) / 9007199254740992.0;
}

static void
line_up(struct plan *plan, struct plan_event *ev)
{
	if (plan->n == plan->room) {
		plan->room = plan->room * 2 + 64;
		plan->line = mem_reallocarray(plan->line, plan->room,
		    sizeof(void *));
	}
	plan->line[plan->n++] = ev;
	ev->refs++;
}

/* Lines up an event, and again as often as chance has it. */
static void
add(struct plan *plan, const struct sample_event *sample)
{
	struct plan_event *ev = mem_calloc(1, sizeof(*ev));
	unsigned more = (unsigned)plan->opt.duplicate;
	double rest = plan->opt.duplicate - more;

	ev->ev = *sample;
	more += rest > 0 && fraction(&plan->state) < rest;
	for (unsigned i = 0; i <= more; i++)
		line_up(plan, ev);
	plan->events++;
}

static void
make_round(struct plan *plan)
{
	const struct plan_options *opt = &plan->opt;
	struct sample_events made = { .list = NULL };

	if (opt->ntypes > 0)
		sample_add_types(plan->sample, opt->types, opt->ntypes, &made);
	else
		sample_add_lifecycle(plan->sample,
		    opt->lives[plan->round % opt->nlives], &made);
	plan->round++;
	/* The bodies go over to the plan's events. */
	for (size_t i = 0; i < made.n; i++)
		add(plan, &made.list[i]);
	free(made.list);
}

static void
shuffle(struct plan *plan)
{
	for (size_t i = plan->n; i > 1; i--) {
		size_t k = (size_t)(sample_random(&plan->state) % i);
		struct plan_event *ev = plan->line[i - 1];

		plan->line[i - 1] = plan->line[k];
		plan->line[k] = ev;
	}
}

static void
refill(struct plan *plan)
{
	size_t enough = plan->opt.shuffle ? WINDOW : 1;

	plan->n = plan->next = 0;
	while (plan->round < plan->rounds && plan->n < enough)
		make_round(plan);
	if (plan->opt.shuffle)
		shuffle(plan);
}

struct plan_event *
plan_next(struct plan *plan)
{
	if (plan->next == plan->n)
		refill(plan);
	return plan->next < plan->n ? plan->line[plan->next++] : NULL;
}

uint64_t
plan_events(const struct plan *plan)
{
	return plan->events;
}

double
plan_done(const struct plan *plan)
{
	double made = (double)plan->round / (double)plan->rounds;

	if (plan->rounds == 0 || plan->n == 0)
		return 1;
	/* The window at hand is part of what was made. */
	return plan->opt.shuffle && plan->round == plan->rounds &&
	    plan->events <= WINDOW ?
	    (double)plan->next / (double)plan->n : made;
}
