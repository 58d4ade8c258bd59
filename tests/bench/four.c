/* The four statements: insert, select for update, insert or update, commit. */
#include "four.h"

#include <inttypes.h>
#include <json.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stripe/event.h"

enum { EVENT, PAYMENT, INSERT, UPDATE, STATEMENTS };
static const char *const sql[STATEMENTS] = {
	[EVENT] = "INSERT INTO webhook_events (id, type, payload, created, "
	    "received_at) VALUES (?, ?, ?, FROM_UNIXTIME(?), NOW(6))",
	[PAYMENT] = "SELECT UNIX_TIMESTAMP(updated) FROM payments WHERE id = ? "
	    "FOR UPDATE",
	[INSERT] = "INSERT INTO payments (status, amount, currency, customer, "
	    "user_id, updated, id) VALUES (?, ?, ?, ?, ?, FROM_UNIXTIME(?), ?)",
	[UPDATE] = "UPDATE payments SET status = ?, amount = ?, currency = ?, "
	    "customer = ?, user_id = ?, updated = FROM_UNIXTIME(?) "
	    "WHERE id = ?",
};

struct four {
	MYSQL *mysql;
	MYSQL_STMT *stmt[STATEMENTS];
};

struct text {
	const char *s;		/* NULL: no value */
	size_t len;
};

static struct text
text(const char *s)
{
	return (struct text){ s, s != NULL ? strlen(s) : 0 };
}

struct four *
four_new(const char *socket, const char *database)
{
	struct four *f = mem_calloc(1, sizeof(*f));

	f->mysql = mysql_init(NULL);
	if (mysql_real_connect(f->mysql, NULL, "root", "", database, 0, socket,
	    0) == NULL || mysql_autocommit(f->mysql, 0) != 0 ||
	    mysql_query(f->mysql, "SET tx_isolation = "
	    "'READ-COMMITTED', time_zone = '+00:00'") != 0)
		goto fail;
	for (int i = 0; i < STATEMENTS; i++)
		if ((f->stmt[i] = mysql_stmt_init(f->mysql)) == NULL ||
		    mysql_stmt_prepare(f->stmt[i], sql[i],
		    strlen(sql[i])) != 0)
			goto fail;
	return f;
fail:
	fprintf(stderr, "%s: %s\n", socket, mysql_error(f->mysql));
	exit(1);
}

static int
execute(MYSQL_STMT *st, const struct text *values, size_t n)
{
	MYSQL_BIND bind[8] = { 0 };

	for (size_t i = 0; i < n; i++) {
		bind[i].buffer_type = values[i].s != NULL ?
		    MYSQL_TYPE_STRING : MYSQL_TYPE_NULL;
		memcpy(&bind[i].buffer, &values[i].s, sizeof(char *));
		bind[i].buffer_length = values[i].len;
	}
	return mysql_stmt_bind_param(st, bind) == 0 &&
	    mysql_stmt_execute(st) == 0 ? 0 : -1;
}

/* The row's time, -1 without a row, -2 on an error. */
static long long
locked_time(MYSQL_STMT *st, const char *id)
{
	const struct text key = text(id);
	long long value = -1;
	MYSQL_BIND bind = { .buffer_type = MYSQL_TYPE_LONGLONG,
	    .buffer = &value };

	if (execute(st, &key, 1) != 0 || mysql_stmt_bind_result(st, &bind) != 0
	    || mysql_stmt_store_result(st) != 0)
		return -2;
	if (mysql_stmt_fetch(st) != 0)
		value = -1;
	mysql_stmt_free_result(st);
	return value;
}

static const char *
field(struct json_object *o, const char *name)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(o, name, &value) && value != NULL ?
	    json_object_get_string(value) : NULL;
}

static int
store_payment(struct four *f, const struct event *ev, const char *created)
{
	struct json_object *metadata = NULL, *o = ev->object;
	long long have = locked_time(f->stmt[PAYMENT], ev->object_id);

	json_object_object_get_ex(o, "metadata", &metadata);
	const struct text values[] = { text(field(o, "status")),
	    text(field(o, "amount")), text(field(o, "currency")),
	    text(field(o, "customer")), text(field(metadata, "user_id")),
	    text(created), text(ev->object_id) };
	if (have == -2)
		return -1;
	if (have > ev->created)
		return 0;
	return execute(f->stmt[have < 0 ? INSERT : UPDATE], values,
	    sizeof(values) / sizeof(values[0]));
}

int
four_store(struct four *f, const struct event *ev, const char *payload,
    size_t len)
{
	char created[24];

	snprintf(created, sizeof(created), "%" PRId64, ev->created);
	const struct text values[] = { text(ev->id), text(ev->type),
	    { payload, len }, text(created) };
	if (execute(f->stmt[EVENT], values, 4) == 0) {
		if (store_payment(f, ev, created) == 0 &&
		    mysql_commit(f->mysql) == 0)
			return 0;
	} else if (mysql_stmt_errno(f->stmt[EVENT]) == ER_DUP_ENTRY) {
		return mysql_rollback(f->mysql) == 0 ? 0 : -1;
	}
	mysql_rollback(f->mysql);
	return -1;
}
