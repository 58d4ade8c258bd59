/* Payloads by a prepared statement, or as text before the COMMIT. */
#include "store/payloads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/batch.h"
#include "store/distance.h"
#include "store/sql.h"
#include "store/stmt.h"
#include "stripe/event.h"

enum { LEFT_MAX = 128 * 1024 };		/* bytes that are left to the commit */

#define INSERT "INSERT INTO event_payloads (created_at, stripe_event_id, " \
	"payload) VALUES "
#define TIME_US(us) "TIMESTAMP'1970-01-01 00:00:00' + INTERVAL " us \
	" MICROSECOND"

struct payloads {
	MYSQL *mysql;			/* borrowed */
	struct distance *distance;	/* borrowed */
	struct stmt *insert;
	const struct entry **left;	/* to be written, by arrival */
	size_t nleft;
};

struct stmt *
payloads_prepare(MYSQL *mysql, size_t cap)
{
	return stmt_new(mysql, INSERT "(" TIME_US("?") ", ?, ?)", "ibb", cap);
}

struct payloads *
payloads_new(MYSQL *mysql, size_t cap, struct distance *distance)
{
	struct payloads *p = mem_calloc(1, sizeof(*p));

	p->mysql = mysql;
	p->distance = distance;
	p->left = mem_calloc(cap, sizeof(*p->left));
	p->insert = payloads_prepare(mysql, cap);
	if (p->insert != NULL)
		return p;
	payloads_free(p);
	return NULL;
}

void
payloads_free(struct payloads *p)
{
	if (p == NULL)
		return;
	stmt_free(p->insert);
	free(p->left);
	free(p);
}

/* The order of their key: what is added at its end leaves no page half full. */
static int
compare_arrival(const void *pa, const void *pb)
{
	const struct entry *const *a = pa, *const *b = pb;

	if ((*a)->received_us != (*b)->received_us)
		return (*a)->received_us < (*b)->received_us ? -1 : 1;
	return strcmp((*a)->event->id, (*b)->event->id);
}

enum db_class
payloads_put(struct payloads *p, struct entry *const *entries,
    const int64_t *deliveries, size_t n, struct err *err)
{
	size_t bytes = 0;

	p->nleft = 0;
	for (size_t i = 0; i < n; i++) {
		if (deliveries[i] != 1)
			continue;
		bytes += entries[i]->payload_len;
		p->left[p->nleft++] = entries[i];
	}
	qsort(p->left, p->nleft, sizeof(*p->left), compare_arrival);
	if (distance_is_far(p->distance) && bytes > 0 && bytes <= LEFT_MAX)
		return DB_OK;
	return payloads_write(p, err);
}

enum db_class
payloads_write(struct payloads *p, struct err *err)
{
	size_t n = p->nleft;

	for (size_t i = 0; i < n; i++) {
		const struct entry *e = p->left[i];

		stmt_int(p->insert, i, 0, e->received_us);
		stmt_bytes(p->insert, i, 1, e->event->id,
		    strlen(e->event->id));
		stmt_bytes(p->insert, i, 2, e->payload, e->payload_len);
	}
	p->nleft = 0;
	if (n > 0 && stmt_execute_noting(p->insert, n, p->distance) != 0)
		return stmt_failed(p->insert, "event_payloads", err);
	return DB_OK;
}

/* A compound statement: it ends at its first error. */
static enum db_class
write_and_commit(struct payloads *p, struct err *err)
{
	const char *before = "BEGIN NOT ATOMIC " INSERT;
	struct sql sql;
	FILE *out = sql_begin(&sql, p->mysql);

	for (size_t i = 0; i < p->nleft; i++) {
		const struct entry *e = p->left[i];

		fprintf(out, "%s(" TIME_US("%" PRId64) ", ", before,
		    e->received_us);
		before = ", ";
		sql_text(&sql, e->event->id);
		fputs(", ", out);
		sql_bytes(&sql, e->payload, e->payload_len);
		fputc(')', out);
	}
	fputs("; COMMIT; END", out);
	return sql_run(&sql, "event_payloads, commit", err) == 0 ? DB_OK :
	    db_class_of(p->mysql);
}

enum db_class
payloads_commit(struct payloads *p, struct err *err)
{
	if (p->nleft > 0)
		return write_and_commit(p, err);
	return mysql_commit(p->mysql) == 0 ? DB_OK :
	    db_failed(p->mysql, "commit", err);
}

void
payloads_forget(struct payloads *p)
{
	p->nleft = 0;
}
