/* The options and the connection that prune and redact share. */
#ifndef CTL_CTL_OLD_H
#define CTL_CTL_OLD_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

struct err;
struct tooldb;

struct old_options {
	int64_t before_us;	/* payloads received before */
	size_t batch;
	bool dry_run, anew, json;
};

/* Rows for getopt_long(3). */
#define CTL_OLD_OPTIONS \
	{ "older-than", required_argument, NULL, 'o' }, \
	{ "batch", required_argument, NULL, 'b' }, \
	{ "dry-run", no_argument, NULL, 'n' }, \
	{ "anew", no_argument, NULL, 'a' }, \
	{ "json", no_argument, NULL, 'j' }

enum { OLD_BATCH = 500 };

/* Takes one of these options. Returns 0, or -1 as filter_option() does. */
int old_option(struct old_options *o, int option, const char *text);

/*
 * Connects as the owner and takes the lock. NULL with the reason printed:
 * the command ends with CTL_UNREACHABLE.
 */
struct tooldb *old_open(const struct config *cfg)
    __attribute__((warn_unused_result));

#endif
