/*
 * Stripe's API, as a client that only reads: GET over HTTPS, with its own
 * rate limit, repeated with back-off where repeating can help. The secret key
 * goes into the request's header and nowhere else.
 */
#ifndef STRIPE_API_H
#define STRIPE_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"

struct api;
struct err;
struct json_object;

enum api_result {
	API_OK,
	API_GONE,	/* 404: there is no such object */
	API_DENIED,	/* 403: the key lacks a right */
	API_KEY,	/* 401: the key is no good */
	API_REFUSED,	/* another answer that repeating won't mend */
	API_UNREACHABLE	/* no answer, or none but 429 and 5xx */
};

struct api_answer {
	struct json_object *json;	/* of API_OK; the caller's */
	int64_t date;			/* the answer's Date, unix seconds */
	int64_t lasted;			/* whole seconds that it took */
	char version[64];		/* Stripe-Version, "" if not told */
};

/*
 * A client with the settings' key, base URL and version. Returns NULL with a
 * line in err if there is no key. cfg must outlive it. say, if not NULL, is
 * told of waiting.
 */
struct api *api_new(const struct config *cfg, void (*say)(const char *line),
    struct err *err) __attribute__((warn_unused_result));
void api_free(struct api *api);

/*
 * Gets a path, "/v1/events?limit=100" say, as the Connect account ("" for
 * the key's own). Takes as long as the rate limit and repeating need. What
 * isn't API_OK is explained by a line in err, what to do included.
 */
enum api_result api_get(struct api *api, const char *path,
    const char *account, struct api_answer *answer, struct err *err)
    __attribute__((warn_unused_result));

/* Frees what an answer holds. Safe to repeat. */
void api_answer_clear(struct api_answer *answer);

/* The mode that the key tells of itself. */
enum livemode api_mode(const struct api *api);

/* Text as part of a path or query; the caller frees it. */
char *api_escape(const char *text) __attribute__((warn_unused_result));

#endif
