/* Reads trigger's arguments: options, and types or lifecycles by name. */
#include "ctl/trigger_options.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"
#include "ctl/ctl.h"

enum value { FLAG, TEXT, COUNT, SEED, LONG, REAL, SHAPE };

static const struct rule {
	const char *name;
	enum value value;
	size_t offset;		/* in struct trigger_options */
	double min, max;
} rules[] = {
#define RULE(name, value, member, min, max) \
	{ name, value, offsetof(struct trigger_options, member), min, max }
	RULE("shape", SHAPE, shape, 0, 0),
	RULE("count", COUNT, count, 1, 1e9),
	RULE("shuffle", FLAG, shuffle, 0, 0),
	RULE("duplicate", REAL, duplicate, 0, 100),
	RULE("to", TEXT, to, 0, 0),
	RULE("lifecycle", FLAG, lifecycle, 0, 0),
	RULE("seed", SEED, seed, 0, 0),
	RULE("born", COUNT, born, 1, 1e10),
	RULE("rate", REAL, rate, 0.001, 1e6),
	RULE("stale", FLAG, stale, 0, 0),
	RULE("wrong-secret", FLAG, wrong_secret, 0, 0),
	RULE("same-second", FLAG, same_second, 0, 0),
	RULE("user", TEXT, user, 0, 0),
	RULE("live", FLAG, live, 0, 0),
	RULE("print", FLAG, print, 0, 0),
	RULE("header", FLAG, header, 0, 0),
	RULE("json", FLAG, json, 0, 0),
	RULE("connections", LONG, connections, 1, 256),
	RULE("i-mean-it", FLAG, i_mean_it, 0, 0),
#undef RULE
};

enum { NRULES = sizeof(rules) / sizeof(rules[0]) };

static int
bad(const struct rule *rule, const char *text, const char *expected)
{
	fprintf(stderr, "stripehookctl: --%s: '%s' is not %s\n", rule->name,
	    text, expected);
	return -1;
}

static int
bad_number(const struct rule *rule, const char *text)
{
	char expected[80];

	snprintf(expected, sizeof(expected), "a %snumber from %.12g to %.12g",
	    rule->value == REAL ? "" : "whole ", rule->min, rule->max);
	return bad(rule, text, expected);
}

static int
set_shape(const struct rule *rule, enum sample_shape *shape, const char *text)
{
	if (strcmp(text, "acacia") == 0)
		*shape = SAMPLE_ACACIA;
	else if (strcmp(text, "basil") == 0)
		*shape = SAMPLE_BASIL;
	else
		return bad(rule, text, "acacia or basil");
	return 0;
}

static int
set_seed(const struct rule *rule, uint64_t *seed, const char *text)
{
	char *end;

	errno = 0;
	*seed = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0)
		return bad(rule, text, "a whole number below 2^64");
	return 0;
}

/* Sets the member at p. Returns 0, or -1 with the fault printed. */
static int
set(const struct rule *rule, void *p, const char *text)
{
	double number = 0;
	char *end;

	if (rule->value == COUNT || rule->value == LONG ||
	    rule->value == REAL) {
		number = strtod(text, &end);
		if (end == text || *end != '\0' || !isfinite(number) ||
		    number < rule->min || number > rule->max ||
		    (rule->value != REAL && number != (double)(long)number))
			return bad_number(rule, text);
	}
	switch (rule->value) {
	case FLAG:
		*(bool *)p = true;
		break;
	case TEXT:
		*(const char **)p = text;
		break;
	case COUNT:
		*(uint64_t *)p = (uint64_t)number;
		break;
	case LONG:
		*(long *)p = (long)number;
		break;
	case REAL:
		*(double *)p = number;
		break;
	case SEED:
		return set_seed(rule, p, text);
	case SHAPE:
		return set_shape(rule, p, text);
	}
	return 0;
}

/* Says which name may be meant. */
static int
unknown(const char *what, const char *name, size_t n,
    const char *(*get)(size_t))
{
	size_t least = SIZE_MAX, best = 0, distance;

	for (size_t i = 0; i < n; i++) {
		distance = near_distance(name, strlen(name), get(i));
		if (distance < least) {
			least = distance;
			best = i;
		}
	}
	fprintf(stderr, "stripehookctl: there is no %s '%s'", what, name);
	if (least <= 4)
		fprintf(stderr, "; did you mean '%s'?\n", get(best));
	else
		fprintf(stderr, "; %s\n", get == sample_type ?
		    "'stripehookctl trigger' lists all" :
		    "the manual lists all");
	return CTL_USAGE;
}

static int
choose_types(struct trigger_options *o, char **names)
{
	bool *chosen = mem_calloc(sample_ntypes(), sizeof(*chosen));
	bool found = true;

	for (; *names != NULL && found; names += found) {
		found = false;
		for (size_t i = 0; i < sample_ntypes(); i++)
			if (fnmatch(*names, sample_type(i), 0) == 0)
				chosen[i] = found = true;
	}
	o->types = mem_calloc(sample_ntypes(), sizeof(*o->types));
	for (size_t i = 0; i < sample_ntypes(); i++)
		if (chosen[i])
			o->types[o->ntypes++] = i;
	free(chosen);
	return found ? CTL_DONE : unknown("event type", *names,
	    sample_ntypes(), sample_type);
}

static int
choose_lives(struct trigger_options *o, char **names, size_t n)
{
	o->lives = mem_calloc(n + 1, sizeof(*o->lives));
	if (n == 0)
		o->lives[o->nlives++] = SAMPLE_MIX;
	for (; *names != NULL; names++) {
		size_t i = 0;

		while (i < sample_nlifecycles() &&
		    strcmp(sample_lifecycle(i), *names) != 0)
			i++;
		if (i == sample_nlifecycles())
			return unknown("lifecycle", *names, i,
			    sample_lifecycle);
		o->lives[o->nlives++] = (int)i;
	}
	return CTL_DONE;
}

static void
fill_options(struct option options[NRULES + 1])
{
	for (size_t i = 0; i < NRULES; i++)
		options[i] = (struct option){ .name = rules[i].name,
		    .has_arg = rules[i].value == FLAG ? no_argument :
		    required_argument };
	options[NRULES] = (struct option){ .name = NULL };
}

/* Options that need others. */
static int
check_pairs(const struct trigger_options *o)
{
	const char *fault = NULL;

	if (o->header && !o->print)
		fault = "--header goes with --print";
	else if (o->born != 0 && (!o->seeded || o->lifecycle))
		fault = "--born goes with --seed and event types";
	if (fault == NULL)
		return CTL_DONE;
	fprintf(stderr, "stripehookctl: %s\n", fault);
	return CTL_USAGE;
}

int
trigger_options_parse(struct trigger_options *o, int argc, char **argv)
{
	struct option options[NRULES + 1];
	int c, i;

	*o = (struct trigger_options){ .shape = SAMPLE_BASIL, .count = 1,
	    .connections = 8 };
	fill_options(options);
	while ((c = getopt_long(argc, argv, "", options, &i)) != -1) {
		if (c != 0)
			return ctl_usage();
		if (set(&rules[i], (char *)o + rules[i].offset, optarg) != 0)
			return CTL_USAGE;
		o->seeded |= rules[i].value == SEED;
	}
	if (check_pairs(o) != CTL_DONE)
		return CTL_USAGE;
	argv += optind;
	argc -= optind;
	if (o->lifecycle)
		return choose_lives(o, argv, (size_t)argc);
	return choose_types(o, argv);
}

void
trigger_options_free(struct trigger_options *o)
{
	free(o->types);
	free(o->lives);
	*o = (struct trigger_options){ .types = NULL };
}
