/*
 * Objects' states as the status route tells them: many at once, each judged
 * by the credential that came with the question.
 */
#ifndef STORE_LOOKUP_H
#define STORE_LOOKUP_H

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/outcome.h"
#include "stripe/credential.h"
#include "stripe/state.h"

/* A question, and its answer. */
struct lookup {
	enum object_kind kind;
	const char *id;			/* has passed state_kind() */
	const struct credential *credential;

	/*
	 * OUT_OK, or why it is answered as if nothing were known:
	 * OUT_UNKNOWN_ID, OUT_WRONG_SECRET.
	 */
	enum outcome out;
	bool final;		/* nothing more comes by itself */
	bool pending;		/* its state is "pending" */
	char *json;		/* the answer; lookup_free() frees it */
	char pays[256];		/* what a session's state hangs on, or "" */
};

/*
 * Answers n questions, in one query for each kind of object and some hundred
 * ids. Returns OUT_OK, or OUT_DB_DOWN, OUT_DB_BUSY or OUT_DB_SYSTEM, logged;
 * then there are no answers.
 */
enum outcome lookup_all(MYSQL *mysql, struct lookup *l, size_t n)
    __attribute__((warn_unused_result));

/* Frees the answers. */
void lookup_free(struct lookup *l, size_t n);

#endif
