/* Prepared statements, whose rows are column-wise arrays. */
#include "store/stmt_int.h"

#include <errmsg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static void
param_init(struct param *p, MYSQL_BIND *bind, char kind, size_t cap)
{
	p->indicators = mem_calloc(cap, sizeof(*p->indicators));
	bind->u.indicator = p->indicators;
	if (kind == 'i') {
		p->ints = mem_calloc(cap, sizeof(*p->ints));
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = p->ints;
		return;
	}
	p->ptrs = mem_calloc(cap, sizeof(*p->ptrs));
	p->lens = mem_calloc(cap, sizeof(*p->lens));
	bind->buffer_type = kind == 'b' ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
	bind->buffer = p->ptrs;
	bind->length = p->lens;
}

static int
prepare(struct stmt *st, const char *sql, const char *returning)
{
	char *text;
	int rc;

	if (st->by_row || returning == NULL)
		return mysql_stmt_prepare(st->handle, sql, strlen(sql));
	if (asprintf(&text, "%s RETURNING %s", sql, returning) < 0)
		mem_exhausted();
	rc = mysql_stmt_prepare(st->handle, text, strlen(text));
	free(text);
	return rc;
}

static int
bind_arrays(struct stmt *st)
{
	unsigned int rows = 1;

	/* Bulk mode must be known before they are bound. */
	return mysql_stmt_attr_set(st->handle, STMT_ATTR_ARRAY_SIZE,
	    &rows) == 0 && mysql_stmt_bind_param(st->handle, st->binds) == 0 ?
	    0 : -1;
}

struct stmt *
stmt_new(MYSQL *mysql, const char *sql, const char *kinds, size_t cap,
    const char *returning)
{
	struct stmt *st = mem_calloc(1, sizeof(*st));

	st->mysql = mysql;
	st->by_row = db_is_clustered(mysql);
	st->nparams = strlen(kinds);
	st->cap = cap;
	st->params = mem_calloc(st->nparams, sizeof(*st->params));
	st->binds = mem_calloc(st->nparams, sizeof(*st->binds));
	for (size_t i = 0; i < st->nparams; i++)
		param_init(&st->params[i], &st->binds[i], kinds[i], cap);
	if (st->by_row)
		st->row = mem_calloc(st->nparams, sizeof(*st->row));
	if ((st->handle = mysql_stmt_init(mysql)) == NULL)
		mem_exhausted();
	if (prepare(st, sql, returning) == 0 &&
	    (st->by_row || bind_arrays(st) == 0))
		return st;
	if (mysql_stmt_errno(st->handle) == CR_OUT_OF_MEMORY)
		mem_exhausted();
	stmt_free(st);
	return NULL;
}

/* The library would take the connection's error away. */
static void
close_handle(MYSQL_STMT *handle)
{
	MYSQL *mysql = handle->mysql;	/* NULL: it is closed */
	unsigned int number = mysql != NULL ? mysql_errno(mysql) : 0;
	char state[SQLSTATE_LENGTH + 1], text[MYSQL_ERRMSG_SIZE];

	if (number != 0) {
		snprintf(state, sizeof(state), "%s", mysql_sqlstate(mysql));
		snprintf(text, sizeof(text), "%s", mysql_error(mysql));
	}
	mysql_stmt_close(handle);
	if (number != 0)
		mysql->methods->set_error(mysql, number, state, "%s", text);
}

void
stmt_free(struct stmt *st)
{
	if (st == NULL)
		return;
	if (st->handle != NULL)
		close_handle(st->handle);
	for (size_t i = 0; i < st->nparams; i++) {
		free(st->params[i].ints);
		free(st->params[i].ptrs);
		free(st->params[i].lens);
		free(st->params[i].indicators);
	}
	free(st->params);
	free(st->binds);
	free(st->row);
	free(st);
}

size_t
stmt_cap(const struct stmt *st)
{
	return st->cap;
}

void
stmt_bytes(struct stmt *st, size_t row, size_t param, const char *s,
    size_t len)
{
	struct param *p = &st->params[param];

	p->ptrs[row] = s;
	p->lens[row] = len;
	p->indicators[row] = STMT_INDICATOR_NONE;
}

void
stmt_text(struct stmt *st, size_t row, size_t param, const char *s)
{
	if (s == NULL)
		stmt_null(st, row, param);
	else
		stmt_bytes(st, row, param, s, strlen(s));
}

void
stmt_int(struct stmt *st, size_t row, size_t param, int64_t i)
{
	struct param *p = &st->params[param];

	p->ints[row] = i;
	p->indicators[row] = STMT_INDICATOR_NONE;
}

void
stmt_null(struct stmt *st, size_t row, size_t param)
{
	st->params[param].indicators[row] = STMT_INDICATOR_NULL;
}

int
stmt_execute_only(struct stmt *st)
{
	const my_bool yes = 1, no = 0;
	int rc;

	mysql_optionsv(st->mysql, MARIADB_OPT_SKIP_READ_RESPONSE, &yes);
	rc = mysql_stmt_execute(st->handle);
	mysql_optionsv(st->mysql, MARIADB_OPT_SKIP_READ_RESPONSE, &no);
	return rc == 0 ? 0 : -1;
}

bool
stmt_is_by_row(const struct stmt *st)
{
	return st->by_row;
}

int
stmt_send(struct stmt *st, size_t from, size_t n)
{
	unsigned int rows = (unsigned int)n;

	if (st->by_row)
		return stmt_rows_send(st, from, n);
	if (mysql_stmt_attr_set(st->handle, STMT_ATTR_ARRAY_SIZE, &rows) != 0)
		return -1;
	return stmt_execute_only(st);
}

static int
fetch_ints(struct stmt *st, int64_t *out, size_t n)
{
	int64_t value = 0;
	MYSQL_BIND bind = { .buffer_type = MYSQL_TYPE_LONGLONG,
	    .buffer = &value };

	/*
	 * A row's error comes here and not from its execution; freeing the
	 * result would wipe it, so that is left to the next execution.
	 */
	if (mysql_stmt_bind_result(st->handle, &bind) != 0 ||
	    mysql_stmt_store_result(st->handle) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (mysql_stmt_fetch(st->handle) != 0)
			return -1;
		out[i] = value;
	}
	mysql_stmt_free_result(st->handle);
	return 0;
}

int
stmt_read_answer(struct stmt *st)
{
	return st->mysql->methods->db_read_execute_response(st->handle) == 0 ?
	    0 : -1;
}

int
stmt_answer(struct stmt *st, int64_t *returned, size_t n)
{
	if (st->by_row)
		return stmt_rows_answer(st, returned, n);
	if (stmt_read_answer(st) == 0 &&
	    (returned == NULL || fetch_ints(st, returned, n) == 0))
		return 0;
	/* Rows that there was no memory for are still to be read. */
	if (mysql_stmt_errno(st->handle) == CR_OUT_OF_MEMORY)
		mem_exhausted();
	return -1;
}

int
stmt_execute(struct stmt *st, size_t n)
{
	return stmt_send(st, 0, n) == 0 ? stmt_answer(st, NULL, n) : -1;
}

unsigned int
stmt_errno(const struct stmt *st)
{
	unsigned int number = st->by_row ? st->failure.number :
	    mysql_stmt_errno(st->handle);

	/* A row that RETURNING owes us and doesn't give is a lost link. */
	return number != 0 ? number : CR_SERVER_LOST;
}

const char *
stmt_error(const struct stmt *st)
{
	return st->by_row ? st->failure.text : mysql_stmt_error(st->handle);
}

const char *
stmt_sqlstate(const struct stmt *st)
{
	return st->by_row ? st->failure.state :
	    mysql_stmt_sqlstate(st->handle);
}

enum db_class
stmt_failed(const struct stmt *st, const char *what, struct err *err)
{
	err_add(err, "%s: %s (%u)", what, stmt_error(st), stmt_errno(st));
	return db_classify(stmt_errno(st), stmt_sqlstate(st));
}
