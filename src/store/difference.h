/* Differences between stored and computed rows, kept until they count. */
#ifndef STORE_DIFFERENCE_H
#define STORE_DIFFERENCE_H

#include <obstack.h>
#include <stdbool.h>
#include <stddef.h>

/* One column that differs; NULL values are NULL, binary ones hexadecimal. */
struct difference {
	const char *table, *id, *column;
	const char *stored, *computed;
	bool missing;		/* the whole row is: column is NULL */
};

struct differences {
	struct obstack mem;	/* the texts of list */
	struct difference *list;
	size_t n, cap;
};

void differences_init(struct differences *list);
void differences_free(struct differences *list);

/* Copies one; its table is a constant. */
void differences_add(struct differences *list, const struct difference *d);

/* Forgets all, or those of one row. */
void differences_clear(struct differences *list);
void differences_drop(struct differences *list, const char *table,
    const char *id);

#endif
