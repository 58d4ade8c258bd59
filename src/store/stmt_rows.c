/* On a node of a cluster: a statement per row, see stmt.h. */
#include <errmsg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/stmt_int.h"

/* Binds the parameters of one row. */
static int
bind_row(struct stmt *st, size_t r)
{
	static my_bool yes = 1, no = 0;

	for (size_t i = 0; i < st->nparams; i++) {
		struct param *p = &st->params[i];
		MYSQL_BIND *bind = &st->row[i];

		bind->buffer_type = st->binds[i].buffer_type;
		bind->is_null = p->indicators[r] == STMT_INDICATOR_NULL ?
		    &yes : &no;
		if (p->ints != NULL) {
			bind->buffer = &p->ints[r];
		} else {
			memcpy(&bind->buffer, &p->ptrs[r],
			    sizeof(bind->buffer));
			bind->length = &p->lens[r];
		}
	}
	return mysql_stmt_bind_param(st->handle, st->row) == 0 ? 0 : -1;
}

/* The handle forgets a row's error when the next one is dealt with. */
static void
note_failure(struct stmt *st)
{
	struct failure *f = &st->failure;

	if (mysql_stmt_errno(st->handle) == CR_OUT_OF_MEMORY)
		mem_exhausted();
	if (f->number != 0)
		return;
	f->number = mysql_stmt_errno(st->handle);
	if (f->number == 0)
		f->number = CR_SERVER_LOST;
	snprintf(f->state, sizeof(f->state), "%s",
	    mysql_stmt_sqlstate(st->handle));
	snprintf(f->text, sizeof(f->text), "%s",
	    mysql_stmt_error(st->handle));
}

int
stmt_rows_send(struct stmt *st, size_t from, size_t n)
{
	st->failure.number = 0;
	for (size_t r = from; r < from + n; r++)
		if (bind_row(st, r) != 0 || stmt_execute_only(st) != 0) {
			note_failure(st);
			return -1;
		}
	return 0;
}

/* All, also behind one that failed: they are on their way. */
int
stmt_rows_answer(struct stmt *st, int64_t *returned, size_t n)
{
	for (size_t r = 0; r < n; r++)
		if (stmt_read_answer(st) != 0)
			note_failure(st);
		else if (returned != NULL)
			returned[r] = (int64_t)mysql_stmt_insert_id(st->handle);
	return st->failure.number == 0 ? 0 : -1;
}
