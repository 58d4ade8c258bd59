/* What to tell a person whose delivery was rejected. */
#ifndef CTL_VERIFY_HINT_H
#define CTL_VERIFY_HINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/outcome.h"

/* What a signature is checked over. */
struct delivery {
	const char *header;
	size_t header_len;
	char *body;
	size_t len;
	struct signing_secrets secrets;
	int64_t now, tolerance;
};

/* Tells on standard error what may be wrong; never prints a secret. */
void verify_explain(const struct delivery *d, enum outcome out);

#endif
