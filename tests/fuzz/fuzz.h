/*
 * What the fuzz targets share. Each is a program of its own: libFuzzer calls
 * LLVMFuzzerTestOneInput() with one input after the other; a sanitizer's
 * report or a MUST() that doesn't hold is a finding.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(what) \
	((what) ? (void)0 : fuzz_fail(#what, __FILE__, __LINE__))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static inline _Noreturn void
fuzz_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* What is left of an input. */
struct fuzz_input {
	const char *p;
	size_t len;
};

/* libFuzzer's first input is NULL. */
static inline struct fuzz_input
fuzz_input(const uint8_t *data, size_t size)
{
	return (struct fuzz_input){ size > 0 ? (const char *)data : "", size };
}

/* Takes one byte; 0 at the end. */
static inline unsigned char
fuzz_byte(struct fuzz_input *in)
{
	if (in->len == 0)
		return 0;
	in->len--;
	return (unsigned char)*in->p++;
}

/* Takes what stands before the separator, or all that is left. */
static inline struct fuzz_input
fuzz_until(struct fuzz_input *in, char separator)
{
	const char *end = memchr(in->p, separator, in->len);
	struct fuzz_input part = { in->p, in->len };

	if (end == NULL) {
		in->p += in->len;
		in->len = 0;
		return part;
	}
	part.len = (size_t)(end - in->p);
	in->p += part.len + 1;
	in->len -= part.len + 1;
	return part;
}

/* A copy that is exactly as long, so that reading behind it is found. */
static inline char *
fuzz_string(struct fuzz_input part)
{
	char *s = malloc(part.len + 1);

	MUST(s != NULL);
	memcpy(s, part.p, part.len);
	s[part.len] = '\0';
	return s;
}

#endif
