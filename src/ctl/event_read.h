/*
 * All that is known of one event, as a JSON object: its fields, its payload
 * with client secrets masked, what was tried with it, the rows it decides and
 * the links it carries.
 */
#ifndef CTL_EVENT_READ_H
#define CTL_EVENT_READ_H

#include "base/config.h"

struct err;
struct json_object;
struct tooldb;

/*
 * Returns 0 and the object, which the caller puts, NULL if there is no such
 * event; or -1 with the reason in err. *payload is the masked text, which the
 * caller frees, NULL if it is gone.
 */
int event_read(struct tooldb *db, const struct config *cfg, const char *id,
    struct json_object **event, char **payload, struct err *err)
    __attribute__((warn_unused_result));

#endif
