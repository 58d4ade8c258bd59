/* Webhook endpoints as Stripe's API lists them. */
#ifndef CTL_ENDPOINT_H
#define CTL_ENDPOINT_H

#include <stdbool.h>

struct json_object;

/* Whether its URL is that of our webhook route; disabled ones count. */
bool endpoint_is_ours(struct json_object *endpoint);

#endif
