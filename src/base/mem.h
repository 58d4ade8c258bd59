/*
 * Memory for which there is no sensible answer to "none left": the process
 * says so and ends, its supervisor starts a new one, and Stripe repeats what
 * was in hand.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

struct obstack;

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

/* Says that there is none left, and ends the process. */
void mem_exhausted(void) __attribute__((noreturn));

/* Zeroed memory for n objects; the caller frees it. Never NULL. */
void *mem_calloc(size_t n, size_t size)
    __attribute__((malloc, returns_nonnull));

/* As reallocarray(3); never NULL. */
void *mem_reallocarray(void *p, size_t n, size_t size)
    __attribute__((returns_nonnull));

/* As strdup(3); never NULL. */
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));

/*
 * Ends the process unless there are so many bytes, for a library that goes on
 * without: what is there is free again afterwards.
 */
void mem_expect(size_t size);

#endif
