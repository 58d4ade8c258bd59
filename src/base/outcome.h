/* Outcome: the one vocabulary in which every stage of a request answers. */
#ifndef BASE_OUTCOME_H
#define BASE_OUTCOME_H

enum outcome {
#define OUTCOME(name, http, level, code, message) OUT_##name,
#include "base/outcome.tbl"
#undef OUTCOME
	OUT__MAX
};

struct outcome_info {
	int http;		/* HTTP status */
	int level;		/* syslog(3) level of its log line */
	const char *code;	/* names it in logs, metrics, error bodies */
	const char *message;	/* for the caller */
};

extern const struct outcome_info outcome_table[OUT__MAX];

#endif
