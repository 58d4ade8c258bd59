/* Allocation that ends the process when there is no memory. */
#include "base/mem.h"

#include <string.h>

#include "base/log.h"

void
mem_exhausted(void)
{
	log_line(LOG_ERR, "out of memory");
	abort();
}

void *
mem_calloc(size_t n, size_t size)
{
	/* calloc(0) may be NULL, which isn't a failure. */
	void *p = calloc(n > 0 ? n : 1, size);

	if (p == NULL)
		mem_exhausted();
	return p;
}

void *
mem_reallocarray(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n > 0 ? n : 1, size);
	if (p == NULL)
		mem_exhausted();
	return p;
}

char *
mem_strdup(const char *s)
{
	char *copy = strdup(s);

	if (copy == NULL)
		mem_exhausted();
	return copy;
}

void
mem_expect(size_t size)
{
	/* Or the compiler leaves out what is of no use. */
	void *volatile p = malloc(size);

	if (p == NULL)
		mem_exhausted();
	free(p);
}
