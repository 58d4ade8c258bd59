/* trigger's arguments. */
#ifndef CTL_TRIGGER_OPTIONS_H
#define CTL_TRIGGER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stripe/sample.h"

struct trigger_options {
	size_t *types;		/* positions, ascending */
	size_t ntypes;
	int *lives;		/* SAMPLE_MIX, or positions */
	size_t nlives;		/* neither: list the types */
	enum sample_shape shape;
	uint64_t count, seed;
	uint64_t born;		/* 0: not given */
	bool seeded;
	double duplicate, rate;
	long connections;
	const char *to, *user;	/* NULL: not given */
	bool shuffle, lifecycle, stale, wrong_secret, same_second, live;
	bool print, header, json, i_mean_it;
};

/*
 * Returns CTL_DONE, or CTL_USAGE with the fault printed. *o is to be freed in
 * any case.
 */
int trigger_options_parse(struct trigger_options *o, int argc, char **argv)
    __attribute__((warn_unused_result));

void trigger_options_free(struct trigger_options *o);

#endif
