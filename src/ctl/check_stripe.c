/* What Stripe says of the endpoint, as far as a key is there to ask. */
#include <inttypes.h>
#include <json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "ctl/check_int.h"
#include "ctl/endpoint.h"
#include "stripe/api.h"
#include "stripe/mapping.h"

/* Without these the rows of the product's core are not kept. */
static const char *const core_types[] = {
	"payment_intent.succeeded", "payment_intent.payment_failed",
	"customer.subscription.created", "customer.subscription.updated",
	"customer.subscription.deleted",
	"customer.subscription.trial_will_end", "invoice.payment_succeeded",
	"invoice.payment_failed"
};

static bool
has_type(struct json_object *types, const char *type)
{
	for (size_t i = 0; i < json_object_array_length(types); i++) {
		const char *t = json_object_get_string(
		    json_object_array_get_idx(types, i));

		if (t != NULL && (strcmp(t, type) == 0 ||
		    strcmp(t, "*") == 0))
			return true;
	}
	return false;
}

static void
check_types(const char *url, struct json_object *types, struct err *err,
    struct err *info)
{
	size_t n = json_object_array_length(types);

	for (size_t i = 0; i < sizeof(core_types) / sizeof(core_types[0]); i++)
		if (!has_type(types, core_types[i]))
			err_add(err, "%s is not subscribed to %s: add it in "
			    "Workbench > Webhooks", url, core_types[i]);
	for (size_t i = 0; i < n; i++) {
		const char *t = json_object_get_string(
		    json_object_array_get_idx(types, i));

		if (t != NULL && strcmp(t, "*") != 0 && !mapping_supports(t))
			err_add(info, "%s: %s is stored as ignored; it can "
			    "be left out there", url, t);
	}
	err_add(info, "%s: %zu event types", url, n);
}

static const char *
text_of(struct json_object *object, const char *name)
{
	struct json_object *text = NULL;

	json_object_object_get_ex(object, name, &text);
	return text != NULL ? json_object_get_string(text) : "";
}

static void
check_endpoint(struct json_object *endpoint, struct err *err,
    struct err *info)
{
	const char *url = text_of(endpoint, "url");
	const char *version = text_of(endpoint, "api_version");
	struct json_object *types;

	if (strcmp(text_of(endpoint, "status"), "disabled") == 0)
		err_add(err, "%s is disabled: enable it in Workbench > "
		    "Webhooks, then run 'stripehookctl reconcile --repair'",
		    url);
	if (json_object_object_get_ex(endpoint, "enabled_events", &types) &&
	    json_object_is_type(types, json_type_array))
		check_types(url, types, err, info);
	err_add(info, "%s: API version %s", url,
	    version[0] != '\0' ? version : "of the account");
}

static void
check_endpoints(struct json_object *answer, struct err *err,
    struct err *info)
{
	struct json_object *list = NULL;
	size_t ours = 0;

	json_object_object_get_ex(answer, "data", &list);
	for (size_t i = 0; json_object_is_type(list, json_type_array) &&
	    i < json_object_array_length(list); i++) {
		struct json_object *e = json_object_array_get_idx(list, i);

		if (!endpoint_is_ours(e))
			continue;
		ours++;
		check_endpoint(e, err, info);
	}
	if (ours == 0)
		err_add(err, "no endpoint there has a URL that ends in "
		    "/api/webhooks/stripe/: create one in Workbench > "
		    "Webhooks");
}

void
check_stripe(const struct config *cfg, struct err *err, struct err *info)
{
	struct api_answer answer = { .json = NULL };
	struct err why = ERR_INIT;
	struct api *api;
	int64_t skew;

	if (cfg->secret_key == NULL) {
		err_add(info, "not asked: STRIPE_SECRET_KEY is not set");
		return;
	}
	if ((api = api_new(cfg, NULL, err)) == NULL)
		return;
	switch (api_get(api, "/v1/webhook_endpoints?limit=100", "", &answer,
	    &why)) {
	case API_OK:
		skew = clock_wall_us() / 1000000 - answer.date;
		if (llabs(skew) > CHECK_SKEW_MAX + answer.lasted)
			err_add(err, "this host's clock is %" PRId64 " s off "
			    "Stripe's: set it by NTP", skew);
		check_endpoints(answer.json, err, info);
		break;
	case API_DENIED:
		/* A restricted key need not have this right. */
		err_add(info, "%.*s", (int)strcspn(why.text, "\n"), why.text);
		break;
	default:
		err_add(err, "%.*s", (int)strcspn(why.text, "\n"), why.text);
	}
	api_answer_clear(&answer);
	api_free(api);
}
