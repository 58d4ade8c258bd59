/* Misspelt words. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stddef.h>

/*
 * Letters to insert, delete or replace to make a (alen bytes) from b; case is
 * not counted. SIZE_MAX for words longer than anything we name.
 */
size_t near_distance(const char *a, size_t alen, const char *b);

#endif
