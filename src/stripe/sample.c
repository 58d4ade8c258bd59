/* Runs through types and lifecycles, a customer each time. */
#include "stripe/sample.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stripe/sample_int.h"

enum { SPREAD = 150 * DAY };	/* how far seeded rounds begin apart */

/* These texts are ours: one that isn't JSON is met by the unit test. */
static struct json_object *
parse(const char *text)
{
	struct json_object *json = json_tokener_parse(text);

	if (json == NULL) {
		fprintf(stderr, "not a template: %s\n", text);
		abort();
	}
	return json;
}

struct sample *
sample_new(const struct sample_options *opt)
{
	struct sample *s = mem_calloc(1, sizeof(*s));

	s->opt = *opt;
	if (s->opt.user_key == NULL)
		s->opt.user_key = "user_id";
	s->templates = mem_calloc(sample_ntemplates, sizeof(void *));
	for (size_t i = 0; i < sample_ntemplates; i++)
		s->templates[i] = parse(sample_templates[i].text);
	s->states = mem_calloc(sample_nstates, sizeof(void *));
	for (size_t i = 0; i < sample_nstates; i++)
		s->states[i] = parse(sample_states[i].text);
	return s;
}

void
sample_free(struct sample *s)
{
	if (s == NULL)
		return;
	sample_forget(s);
	for (size_t i = 0; i < sample_ntemplates; i++)
		json_object_put(s->templates[i]);
	for (size_t i = 0; i < sample_nstates; i++)
		json_object_put(s->states[i]);
	free(s->templates);
	free(s->states);
	free(s);
}

void
sample_events_free(struct sample_events *events)
{
	for (size_t i = 0; i < events->n; i++)
		free(events->list[i].body);
	free(events->list);
	*events = (struct sample_events){ .list = NULL };
}

static void
run_part(struct sample *s, const struct sample_step *step,
    struct sample_events *out)
{
	for (; step->type != NULL; step++)
		sample_run_step(s, step, out);
}

/* The shop's product and price, once each. */
static void
introduce(struct sample *s, struct sample_events *out)
{
	unsigned serial = s->serial;

	if ((s->introduced >> s->plan & 1) != 0)
		return;
	s->introduced |= UINT32_C(1) << s->plan;
	s->now = s->start = sample_catalogue_time(s);
	run_part(s, sample_catalogue, out);
	s->serial = serial + 16;
	sample_forget(s);
}

/* An upper bound of what a lifecycle takes, counted from a 31st. */
static int64_t
duration(const struct sample_life *life)
{
	int64_t now = SAMPLE_BASE, anchor = now;

	for (size_t i = 0; i < LIFE_PARTS && life->parts[i] != NULL; i++)
		for (const struct sample_step *step = life->parts[i];
		    step->type != NULL; step++) {
			now = sample_later(now, anchor, step->delay);
			if (step->delay < 0)
				anchor = now;
		}
	return now - SAMPLE_BASE + DAY;
}

static void
begin(struct sample *s, bool own_catalogue)
{
	sample_forget(s);
	s->round++;
	s->serial = 0;
	s->own_catalogue = own_catalogue;
	s->plan = (unsigned)(sample_number(s, "plan") % SAMPLE_PLANS);
}

static void
begin_at(struct sample *s, int64_t takes)
{
	uint64_t n = sample_number(s, "start");

	if (s->opt.now != 0)
		s->start = s->opt.now - takes;
	else
		s->start = SAMPLE_BASE + (int64_t)(n % SPREAD);
	s->now = s->anchor = s->before = s->start;
}

void
sample_add_lifecycle(struct sample *s, int which, struct sample_events *out)
{
	const struct sample_life *life;
	unsigned drawn;
	size_t i = 0;

	begin(s, false);
	introduce(s, out);
	drawn = (unsigned)(sample_number(s, "lifecycle") % 100);
	while (i + 1 < sample_nlives && drawn >= sample_lives[i].percent)
		drawn -= sample_lives[i++].percent;
	life = &sample_lives[which == SAMPLE_MIX ? i : (size_t)which];
	begin_at(s, duration(life));
	for (i = 0; i < LIFE_PARTS && life->parts[i] != NULL; i++)
		run_part(s, life->parts[i], out);
}

void
sample_add_types(struct sample *s, const size_t *types, size_t n,
    struct sample_events *out)
{
	begin(s, true);
	begin_at(s, (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		if (!s->opt.same_second)
			s->now++;
		sample_run_single(s, &sample_singles[types[i]], out);
	}
}

size_t
sample_ntypes(void)
{
	return sample_nsingles;
}

const char *
sample_type(size_t i)
{
	return sample_singles[i].type;
}

size_t
sample_nlifecycles(void)
{
	return sample_nlives;
}

const char *
sample_lifecycle(size_t i)
{
	return sample_lives[i].name;
}
