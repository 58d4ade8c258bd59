/* The statements of event_attempts. */
#include "store/attempt.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/journal.h"
#include "store/stmt.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

#define TIME_US "'1970-01-01' + INTERVAL ? MICROSECOND"

struct attempts {
	struct stmt *outcomes, *tries;
};

static struct stmt *
prepare_outcomes(MYSQL *mysql, size_t cap)
{
	return stmt_new(mysql,
	    "UPDATE event_journal SET status = ?, error = ?, processed_at = "
	    TIME_US " WHERE stripe_event_id = ? AND status = ?", "ssiss", cap,
	    NULL);
}

/* A transaction that is repeated after a lost answer adds no second row. */
static struct stmt *
prepare_attempts(MYSQL *mysql, size_t cap)
{
	return stmt_new(mysql,
	    "INSERT IGNORE INTO event_attempts (stripe_event_id, "
	    "attempted_at, status, error, actor) VALUES (?, " TIME_US
	    ", ?, ?, ?)", "sisss", cap, NULL);
}

const char *
attempt_status(const struct entry *e)
{
	const char *before = e->replay->status;

	if (e->out == OUT_OK || strcmp(before, "processed") == 0)
		return "processed";
	/* Who gave it up is not asked again by each replay that fails. */
	if (strcmp(before, "dismissed") == 0)
		return before;
	return journal_status(e->out);
}

static void
put_outcome(struct stmt *st, size_t at, const struct entry *e)
{
	const char *reason = e->rows->reason;

	stmt_text(st, at, 0, attempt_status(e));
	stmt_text(st, at, 1, reason[0] != '\0' ? reason : NULL);
	if (e->out == OUT_FAILED)
		stmt_null(st, at, 2);
	else
		stmt_int(st, at, 2, e->replay->at_us);
	stmt_text(st, at, 3, e->event->id);
	stmt_text(st, at, 4, e->replay->status);
}

static void
put_attempt(struct stmt *st, size_t at, const char *id, int64_t us,
    const char *status, const char *error, const char *actor)
{
	stmt_text(st, at, 0, id);
	stmt_int(st, at, 1, us);
	stmt_text(st, at, 2, status);
	stmt_text(st, at, 3, error);
	stmt_text(st, at, 4, actor);
}

static void
put_try(struct stmt *st, size_t at, const struct entry *e)
{
	const char *reason = e->rows->reason;

	put_attempt(st, at, e->event->id, e->replay->at_us,
	    journal_status(e->out), reason[0] != '\0' ? reason : NULL,
	    e->replay->actor);
}

static void
put_delivery(struct stmt *st, size_t at, const struct entry *e)
{
	put_attempt(st, at, e->event->id, e->received_us, e->replay->status,
	    e->replay->error, "delivery");
}

struct attempts *
attempts_new(MYSQL *mysql, size_t cap)
{
	struct attempts *a = mem_calloc(1, sizeof(*a));

	if ((a->outcomes = prepare_outcomes(mysql, cap)) != NULL &&
	    (a->tries = prepare_attempts(mysql, cap)) != NULL)
		return a;
	attempts_free(a);
	return NULL;
}

void
attempts_free(struct attempts *a)
{
	if (a == NULL)
		return;
	stmt_free(a->outcomes);
	stmt_free(a->tries);
	free(a);
}

static enum db_class
flush(struct stmt *st, size_t n, const char *what, struct err *err)
{
	if (n == 0 || stmt_execute(st, n) == 0)
		return DB_OK;
	return stmt_failed(st, what, err);
}

/* Whether the journal says something new. */
static bool
changes(const struct entry *e)
{
	return !e->replay->applied && (e->out == OUT_OK ||
	    strcmp(e->replay->status, "dismissed") != 0);
}

enum db_class
attempts_write(struct attempts *a, struct entry **e, size_t n,
    struct err *err)
{
	enum db_class class;
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (changes(e[i]))
			put_outcome(a->outcomes, k++, e[i]);
	if ((class = flush(a->outcomes, k, "event_journal", err)) != DB_OK)
		return class;
	for (size_t i = k = 0; i < n; i++)
		if (!e[i]->replay->applied)
			put_delivery(a->tries, k++, e[i]);
	if ((class = flush(a->tries, k, "event_attempts", err)) != DB_OK)
		return class;
	for (size_t i = 0; i < n; i++)
		put_try(a->tries, i, e[i]);
	return flush(a->tries, n, "event_attempts", err);
}
