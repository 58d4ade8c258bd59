/* What Stripe's answers mean, in words for whoever has to act. */
#ifndef STRIPE_API_SAY_H
#define STRIPE_API_SAY_H

#include "stripe/api.h"

struct err;
struct json_object;

/*
 * The result that a status other than 200 means, explained by a line in err.
 * body is the answer's JSON or NULL; key is never shown, even if the answer
 * does.
 */
enum api_result api_explain(long status, const char *path,
    struct json_object *body, const char *key, struct err *err);

/* Reads an answer's text into answer->json, or explains it as above. */
enum api_result api_read(long status, const char *path, const char *text,
    size_t len, const char *key, struct api_answer *answer, struct err *err)
    __attribute__((warn_unused_result));

/* Whether the same request may be answered better later. */
bool api_may_repeat(long status);

#endif
