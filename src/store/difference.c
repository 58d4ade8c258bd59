/* A list of differences and the memory of their texts. */
#include "store/difference.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
differences_init(struct differences *list)
{
	*list = (struct differences){ .list = NULL };
	obstack_init(&list->mem);
}

void
differences_free(struct differences *list)
{
	obstack_free(&list->mem, NULL);
	free(list->list);
	list->list = NULL;
}

static const char *
keep(struct differences *list, const char *text)
{
	return text != NULL ? obstack_copy0(&list->mem, text, strlen(text)) :
	    NULL;
}

void
differences_add(struct differences *list, const struct difference *d)
{
	if (list->n == list->cap) {
		list->cap = list->cap > 0 ? 2 * list->cap : 16;
		list->list = mem_reallocarray(list->list, list->cap,
		    sizeof(*list->list));
	}
	list->list[list->n++] = (struct difference){ .table = d->table,
	    .id = keep(list, d->id), .column = keep(list, d->column),
	    .stored = keep(list, d->stored),
	    .computed = keep(list, d->computed), .missing = d->missing };
}

void
differences_clear(struct differences *list)
{
	obstack_free(&list->mem, NULL);
	obstack_init(&list->mem);
	list->n = 0;
}

void
differences_drop(struct differences *list, const char *table, const char *id)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct difference *d = &list->list[i];

		if (strcmp(d->table, table) != 0 || strcmp(d->id, id) != 0)
			list->list[kept++] = *d;
	}
	list->n = kept;
}
