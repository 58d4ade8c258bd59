/* Edit distance, for "did you mean". */
#include "base/near.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 64 };

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance, one row of its matrix at a time. */
size_t
near_distance(const char *a, size_t alen, const char *b)
{
	size_t row[WORD_MAX + 1], blen = strlen(b), diagonal, above;

	if (alen > WORD_MAX || blen > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= blen; j++)
		row[j] = j;
	for (size_t i = 1; i <= alen; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= blen; j++) {
			above = row[j];
			row[j] = least(above + 1, row[j - 1] + 1, diagonal +
			    (toupper((unsigned char)a[i - 1]) !=
			    toupper((unsigned char)b[j - 1])));
			diagonal = above;
		}
	}
	return row[blen];
}
