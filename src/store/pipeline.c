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

/* How many of n rows may go at a time. */
static size_t
piece(const struct pipeline *p, const struct stmt *st, size_t n)
{
	size_t most = p->one_by_one ? 1 : STMT_UNREAD_MAX;

	return !stmt_is_by_row(st) || n < most ? n : most;
}

static enum db_class
send_piece(struct pipeline *p, const struct sent *s, size_t from,
    struct err *err)
{
	size_t answers = stmt_is_by_row(s->st) ? s->n : 1;
	enum db_class class;

	if ((p->one_by_one || p->n == PIPELINE_MAX ||
	    p->unread + answers > STMT_UNREAD_MAX || is_on_its_way(p, s->st)) &&
	    (class = pipeline_answers(p, DB_OK, err)) != DB_OK)
		return class;
	if (stmt_send(s->st, from, s->n) != 0)
		return stmt_failed(s->st, s->what, err);
	p->sent[p->n++] = *s;
	p->unread += answers;
	return DB_OK;
}

enum db_class
pipeline_send(struct pipeline *p, struct stmt *st, size_t n, int64_t *returned,
    const char *what, struct err *err)
{
	enum db_class class = DB_OK;

	for (size_t from = 0, k; class == DB_OK && from < n; from += k) {
		k = piece(p, st, n - from);
		class = send_piece(p, &(struct sent){ st, returned != NULL ?
		    returned + from : NULL, k, what }, from, err);
	}
	return class;
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
	p->n = p->unread = 0;
	return class;
}
