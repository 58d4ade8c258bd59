/* A second reading of FastCGI records, whole in memory, to compare ours with. */
#ifndef FUZZ_FCGI_H
#define FUZZ_FCGI_H

#include <stdbool.h>

#include "base/outcome.h"
#include "fuzz.h"

struct fuzz_fcgi {
	bool orderly;		/* a whole request, as nginx sends it */
	int id;
	char **params;		/* "name=value", NULL at the end */
	char *body;
	size_t body_len;
};

/* Never NULL; to be freed. */
struct fuzz_fcgi *fuzz_fcgi_read(struct fuzz_input in);
void fuzz_fcgi_free(struct fuzz_fcgi *f);

/* The value of the first parameter of that name, or NULL. */
const char *fuzz_fcgi_param(const struct fuzz_fcgi *f, const char *name);

/* What reading an orderly request must come to. */
enum outcome fuzz_fcgi_outcome(const struct fuzz_fcgi *f, size_t body_max);

/*
 * What the records of an answer say, ended by NUL and to be freed; *ended is
 * whether the request's end comes last, and nothing after it.
 */
char *fuzz_fcgi_output(struct fuzz_input records, int id, bool *ended);

#endif
