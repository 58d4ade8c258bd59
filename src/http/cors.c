/* Headers for pages of other origins. */
#include "http/cors.h"

#include <stdio.h>
#include <string.h>

#include "base/config.h"

enum { ORIGIN_MAX = 255, PREFLIGHT_SECONDS = 600 };

/* "null" is the origin of any sandboxed page, so it is nobody's. */
static bool
listed(const char *origin, const struct strings *allowed)
{
	if (origin == NULL || strlen(origin) > ORIGIN_MAX ||
	    strcmp(origin, "null") == 0)
		return false;
	for (size_t i = 0; i < allowed->n; i++)
		if (strcmp(allowed->s[i], origin) == 0)
			return true;
	return false;
}

void
cors_headers(char headers[CORS_MAX], const char *origin,
    const struct strings *allowed, bool preflight)
{
	if (!listed(origin, allowed))
		snprintf(headers, CORS_MAX, "Vary: Origin\r\n");
	else if (preflight)
		snprintf(headers, CORS_MAX, "Vary: Origin\r\n"
		    "Access-Control-Allow-Origin: %s\r\n"
		    "Access-Control-Allow-Methods: GET, HEAD\r\n"
		    "Access-Control-Allow-Headers: Authorization, "
		    "If-None-Match, Last-Event-ID\r\n"
		    "Access-Control-Max-Age: %d\r\n", origin,
		    PREFLIGHT_SECONDS);
	else
		snprintf(headers, CORS_MAX, "Vary: Origin\r\n"
		    "Access-Control-Allow-Origin: %s\r\n"
		    "Access-Control-Expose-Headers: ETag, Retry-After\r\n",
		    origin);
}
