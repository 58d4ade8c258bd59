/*
 * What reconcile and backfill share: Stripe's API, the database, progress on
 * a terminal, and what there is to say at the end.
 */
#ifndef CTL_FETCH_H
#define CTL_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "stripe/api.h"

struct intake;
struct json_object;
struct object_ref;
struct snapshot_kind;
struct tooldb;

enum { FETCH_PAGE = 100 };	/* objects in a page, Stripe's limit */

struct fetch {
	struct config cfg;
	struct api *api;
	struct tooldb *db;
	struct intake *intake;
	int64_t now;			/* when the command began */
	struct err notes;		/* what could not be done, and why */
	bool denied;			/* by a right that the key lacks */
};

/*
 * Loads settings and connects. Returns CTL_DONE, or another exit status with
 * the reason printed. The caller closes it in any case.
 */
int fetch_open(struct fetch *f) __attribute__((warn_unused_result));
void fetch_close(struct fetch *f);

/* On a terminal: a line that the next one overwrites. */
void fetch_progress(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
void fetch_progress_end(void);

/* The live or test mode of what the key sees; unknown counts as that of ref. */
bool fetch_sees_mode(const struct fetch *f, bool livemode);

/* "live", "test" or "any": part of the names in tool_state. */
const char *fetch_mode_name(const struct fetch *f);

/* Gets an object. Errors go to err, as of api_get(). */
enum api_result fetch_object(struct fetch *f, const struct object_ref *ref,
    struct api_answer *answer, struct err *err)
    __attribute__((warn_unused_result));

/* Puts the object into the intake as a snapshot. Returns 0 or -1. */
int fetch_store(struct fetch *f, struct json_object *object,
    const char *account, bool livemode, const struct api_answer *answer,
    struct err *err) __attribute__((warn_unused_result));

/* When what an answer tells was true at the earliest. */
int64_t fetch_date(const struct api_answer *answer);

/* The list in an answer and whether more follows; NULL if there is none. */
struct json_object *fetch_list(const struct api_answer *answer, bool *more);

/* Prints the notes on standard error. */
void fetch_print_notes(const struct fetch *f);

/* Notes as a JSON array. */
struct json_object *fetch_notes_json(const struct fetch *f);

#endif
