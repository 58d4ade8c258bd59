/* Knows our endpoint by its URL. */
#include "ctl/endpoint.h"

#include <json.h>
#include <string.h>

/* Where deliveries come in; an endpoint's URL ends so. */
static const char *const routes[] = {
	"/api/webhooks/stripe", "/api/webhooks/stripe/"
};

bool
endpoint_is_ours(struct json_object *endpoint)
{
	struct json_object *text;
	const char *url;
	size_t len, n;

	if (!json_object_object_get_ex(endpoint, "url", &text))
		return false;
	url = json_object_get_string(text);
	len = url != NULL ? strlen(url) : 0;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		n = strlen(routes[i]);
		if (len >= n && strcmp(url + len - n, routes[i]) == 0)
			return true;
	}
	return false;
}
