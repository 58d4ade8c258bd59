/* Blanks members of old payloads, and records of each that it did. */
#ifndef STORE_REDACTION_H
#define STORE_REDACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct tooldb;

struct redaction {
	struct tooldb *db;		/* the owner's */
	const char *const *names;	/* as redact_text() takes them */
	int64_t before_us;		/* received before */
	size_t batch;
	bool dry_run;			/* only counts */
	bool anew;			/* from the oldest payload on */
	void (*progress)(const struct redaction *r);	/* or NULL */

	size_t redacted;		/* payloads that were changed */
	size_t edits;			/* members in them */
	size_t clean;			/* payloads with nothing to blank */
	size_t failed;			/* left: they may be replayed */
	size_t unclear;			/* left: no JSON */
	int64_t at_us;			/* reception of the last one seen */
};

/* Returns 0, or -1 with the reason in err; what is counted is done. */
int redaction_run(struct redaction *r, struct err *err)
    __attribute__((warn_unused_result));

#endif
