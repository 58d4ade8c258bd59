/*
 * Which pages may read the status route's answers (Fetch Standard, "CORS
 * protocol"). nginx adds the same to the errors that it makes itself.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include <stdbool.h>
#include <stddef.h>

struct strings;

enum { CORS_MAX = 512 };

/*
 * Writes the headers for an answer to a page of this origin (NULL: none was
 * sent), lines ended by "\r\n"; preflight adds what an OPTIONS request asks.
 */
void cors_headers(char headers[CORS_MAX], const char *origin,
    const struct strings *allowed, bool preflight);

#endif
