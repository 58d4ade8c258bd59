/*
 * Statements sent one after another without waiting for the answer to each:
 * one round trip for all. One that fails doesn't keep those behind it from
 * running, so they belong into one transaction, to be rolled back.
 */
#ifndef STORE_PIPELINE_H
#define STORE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"

struct err;
struct stmt;

enum { PIPELINE_MAX = 32 };

/* All zero: nothing is on its way. */
struct pipeline {
	bool one_by_one;	/* each waits for the answer before it, and so
				   does each row that is a statement */
	struct meanwhile meanwhile;
	struct sent {
		struct stmt *st;
		int64_t *returned;
		size_t n;
		const char *what;
	} sent[PIPELINE_MAX];
	size_t n;
	size_t unread;		/* answers */
};

/*
 * Sends the first n rows of st. returned, unless NULL, gets what stmt_answer()
 * reads, and is borrowed until then, like what (a table). If st is on its way
 * already, or too many answers are, all are read before.
 */
enum db_class pipeline_send(struct pipeline *p, struct stmt *st, size_t n,
    int64_t *returned, const char *what, struct err *err)
    __attribute__((warn_unused_result));

/*
 * Calls meanwhile, then reads all answers. Nothing else may be asked of the
 * connection before. Returns class, if something failed before already; else
 * that of the first failure, whose line is then in err.
 */
enum db_class pipeline_answers(struct pipeline *p, enum db_class class,
    struct err *err) __attribute__((warn_unused_result));

#endif
