/* The table of outcomes. */
#include "base/outcome.h"

#include <syslog.h>

const struct outcome_info outcome_table[OUT__MAX] = {
#define OUTCOME(name, http, level, code, message) \
	{ http, level, code, message },
#include "base/outcome.tbl"
#undef OUTCOME
};
