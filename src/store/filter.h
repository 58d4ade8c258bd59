/*
 * Events of the journal by status, type, object or time, read along an index
 * that suits: a listing costs what it shows, not what is stored.
 */
#ifndef STORE_FILTER_H
#define STORE_FILTER_H

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct tooldb;

/* What isn't asked for is NULL, or 0. */
struct filter {
	const char *status;
	const char *type;	/* '*' stands for anything */
	const char *object;
	int64_t since_us;	/* received then or later */
	int64_t until_us;	/* received before */
	bool newest;		/* first; else the oldest */
	size_t limit;
	int64_t after_us;	/* with after_id: what comes after that one, */
	const char *after_id;	/* which only goes with oldest first */
};

/*
 * Reads columns of event_journal; they must begin with stripe_event_id and
 * created_at. Returns 0, or -1 with the reason in err; the caller frees *res.
 */
int filter_read(struct tooldb *db, const struct filter *f,
    const char *columns, MYSQL_RES **res, struct err *err)
    __attribute__((warn_unused_result));

/* Which statuses there are; ends with NULL. */
extern const char *const filter_statuses[];

#endif
