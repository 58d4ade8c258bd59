/* Answers come in the order in which statements were sent. */
#include "store/pipeline.h"

#include <stdbool.h>

#include "store/stmt.h"

static bool
is_on_its_way(const struct pipeline *p, const struct stmt *st)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->sent[i].st == st)
			return true;
	return false;
}

enum db_class
pipeline_send(struct pipeline *p, struct stmt *st, size_t n, int64_t *returned,
    const char *what, struct err *err)
{
	enum db_class class;

	if ((p->one_by_one || p->n == PIPELINE_MAX || is_on_its_way(p, st)) &&
	    (class = pipeline_answers(p, DB_OK, err)) != DB_OK)
		return class;
	if (stmt_send(st, n) != 0)
		return stmt_failed(st, what, err);
	p->sent[p->n++] = (struct sent){ st, returned, n, what };
	return DB_OK;
}

enum db_class
pipeline_answers(struct pipeline *p, enum db_class class, struct err *err)
{
	if (p->meanwhile.fn != NULL)
		p->meanwhile.fn(p->meanwhile.arg);
	for (size_t i = 0; i < p->n; i++) {
		const struct sent *s = &p->sent[i];

		if (stmt_answer(s->st, s->returned, s->n) != 0 &&
		    class == DB_OK)
			class = stmt_failed(s->st, s->what, err);
	}
	p->n = 0;
	return class;
}
