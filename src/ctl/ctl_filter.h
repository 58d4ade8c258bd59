/* The options by which commands choose events of the journal. */
#ifndef CTL_CTL_FILTER_H
#define CTL_CTL_FILTER_H

#include <getopt.h>

struct filter;

/* Rows for getopt_long(3). */
#define CTL_FILTER_OPTIONS \
	{ "status", required_argument, NULL, 's' }, \
	{ "type", required_argument, NULL, 't' }, \
	{ "since", required_argument, NULL, 'S' }

/*
 * Takes one of these options. Returns 0, or -1 if it is another, or if its
 * argument is wrong, which is then said.
 */
int filter_option(struct filter *filter, int option, const char *text);

#endif
