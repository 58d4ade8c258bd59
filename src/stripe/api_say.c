/* Reads Stripe's answers, and puts refusals into words. */
#include "stripe/api_say.h"

#include <string.h>

#include <json-c/json.h>

#include "base/clock.h"
#include "base/err.h"
#include "stripe/json.h"

enum { MESSAGE_MAX = 300 };	/* bytes of Stripe's own words */

/* Rights of restricted keys, as the dashboard names them, by path. */
static const struct {
	const char *path, *right;
} rights[] = {
	{ "/v1/events", "Events" },
	{ "/v1/webhook_endpoints", "Webhook Endpoints" },
	{ "/v1/subscriptions", "Subscriptions" },
	{ "/v1/invoice_payments", "Invoices" },
	{ "/v1/invoices", "Invoices" },
	{ "/v1/payment_intents", "PaymentIntents" },
	{ "/v1/setup_intents", "SetupIntents" },
	{ "/v1/charges", "Charges and Refunds" },
	{ "/v1/refunds", "Charges and Refunds" },
	{ "/v1/disputes", "Disputes" },
	{ "/v1/checkout/sessions", "Checkout Sessions" },
	{ "/v1/customers", "Customers" },
	{ "/v1/products", "Products" },
	{ "/v1/prices", "Prices" },
};

static const char *
right_of(const char *path)
{
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		if (strncmp(path, rights[i].path,
		    strlen(rights[i].path)) == 0)
			return rights[i].right;
	return "the resource of that path";
}

/* A string of the answer's error object, "" if there is none. */
static const char *
error_text(struct json_object *body, const char *name, const char *key)
{
	struct json_object *error = NULL, *text = NULL;
	const char *s;

	if (json_object_is_type(body, json_type_object) &&
	    json_object_object_get_ex(body, "error", &error) &&
	    json_object_is_type(error, json_type_object) &&
	    json_object_object_get_ex(error, name, &text) &&
	    json_object_is_type(text, json_type_string)) {
		s = json_object_get_string(text);
		return strstr(s, key) == NULL ? s : "";
	}
	return "";
}

bool
api_may_repeat(long status)
{
	return status == 409 || status == 429 || status >= 500;
}

enum api_result
api_explain(long status, const char *path, struct json_object *body,
    const char *key, struct err *err)
{
	const char *said = error_text(body, "message", key);
	int len = (int)strcspn(path, "?"), max = MESSAGE_MAX;
	const char *colon = said[0] != '\0' ? ": " : "";

	switch (status) {
	case 401:
		err_add(err, "Stripe refuses STRIPE_SECRET_KEY (401)%s%.*s; "
		    "copy the key anew from the dashboard (Developers > API "
		    "keys): it may have been rolled or deleted", colon, max,
		    said);
		return API_KEY;
	case 403:
		err_add(err, "%.*s: STRIPE_SECRET_KEY has not the right to "
		    "this (403)%s%.*s; give the restricted key '%s: Read' in "
		    "the dashboard (Developers > API keys), or use another "
		    "key", len, path, colon, max, said, right_of(path));
		return API_DENIED;
	case 404:
		/* Of a path, not of an object: this version has none such. */
		if (strncmp(said, "Unrecognized request URL", 24) == 0) {
			err_add(err, "%.*s: Stripe doesn't know this path in "
			    "the API version asked for", len, path);
			return API_REFUSED;
		}
		err_add(err, "%.*s: not found (404)%s%.*s", len, path, colon,
		    max, said);
		return API_GONE;
	default:
		err_add(err, "%.*s: Stripe answered %ld%s%.*s", len, path,
		    status, colon, max, said);
		return api_may_repeat(status) ? API_UNREACHABLE : API_REFUSED;
	}
}

enum api_result
api_read(long status, const char *path, const char *text, size_t len,
    const char *key, struct api_answer *answer, struct err *err)
{
	struct json_object *json = NULL;
	const char *why = "the answer is empty";
	enum api_result result;

	if (len > 0 && json_parse(&json, text, len, &why) != OUT_OK)
		json = NULL;
	if (status != 200) {
		result = api_explain(status, path, json, key, err);
		json_object_put(json);
		return result;
	}
	if (json == NULL) {
		err_add(err, "%.*s: what answers is not Stripe's API: %s",
		    (int)strcspn(path, "?"), path, why);
		return API_REFUSED;
	}
	answer->json = json;
	/* Without a Date our own clock has to do. */
	if (answer->date < 0)
		answer->date = clock_wall_us() / 1000000;
	return API_OK;
}
