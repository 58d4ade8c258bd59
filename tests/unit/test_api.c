/* What Stripe's refusals are explained as. */
#include <json-c/json.h>
#include <string.h>

#include "base/err.h"
#include "stripe/api_say.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define KEY "rk_test_secret"

static const struct {
	long status;
	const char *path, *body;
	enum api_result result;
	const char *says;
} answers[] = {
	{ 401, "/v1/events", "{\"error\":{\"message\":\"Invalid API Key\"}}",
	    API_KEY, "STRIPE_SECRET_KEY (401): Invalid API Key; copy" },
	/* A message that repeats the key isn't shown. */
	{ 401, "/v1/events", "{\"error\":{\"message\":\"no " KEY "\"}}",
	    API_KEY, "STRIPE_SECRET_KEY (401); copy" },
	{ 403, "/v1/events?limit=100", "{}", API_DENIED,
	    "/v1/events: STRIPE_SECRET_KEY has not the right to this (403); "
	    "give the restricted key 'Events: Read'" },
	{ 403, "/v1/subscriptions/sub_1", NULL, API_DENIED,
	    "'Subscriptions: Read'" },
	{ 403, "/v1/invoice_payments/inpay_1", NULL, API_DENIED,
	    "'Invoices: Read'" },
	{ 404, "/v1/products/p", "{\"error\":{\"code\":\"resource_missing\","
	    "\"message\":\"No such product: 'p'\"}}", API_GONE,
	    "/v1/products/p: not found (404): No such product: 'p'" },
	{ 404, "/v1/invoice_payments", "{\"error\":{\"message\":\"Unrecognized "
	    "request URL (GET: /v1/invoice_payments).\"}}", API_REFUSED,
	    "Stripe doesn't know this path" },
	{ 400, "/v1/x", "{\"error\":{\"message\":\"Bad\"}}", API_REFUSED,
	    "/v1/x: Stripe answered 400: Bad" },
	{ 400, "/v1/x", "{\"error\":\"text\"}", API_REFUSED,
	    "/v1/x: Stripe answered 400" },
	{ 301, "/v1/x", "[]", API_REFUSED, "Stripe answered 301" },
	{ 429, "/v1/x", NULL, API_UNREACHABLE, "Stripe answered 429" },
	{ 503, "/v1/x", NULL, API_UNREACHABLE, "Stripe answered 503" },
};

START_TEST(test_answers)
{
	struct json_object *body = answers[_i].body != NULL ?
	    json_tokener_parse(answers[_i].body) : NULL;
	struct err err = ERR_INIT;

	ck_assert_int_eq(api_explain(answers[_i].status, answers[_i].path,
	    body, KEY, &err), answers[_i].result);
	ck_assert_msg(strstr(err.text, answers[_i].says) != NULL, "%s",
	    err.text);
	ck_assert_ptr_null(strstr(err.text, KEY));
	json_object_put(body);
}
END_TEST

START_TEST(test_repeat)
{
	static const long again[] = { 409, 429, 500, 502, 503 };
	static const long never[] = { 200, 301, 400, 401, 402, 403, 404 };

	for (int i = 0; i < COUNT(again); i++)
		ck_assert(api_may_repeat(again[i]));
	for (int i = 0; i < COUNT(never); i++)
		ck_assert(!api_may_repeat(never[i]));
}
END_TEST

START_TEST(test_key)
{
	static const struct {
		const char *key;
		enum livemode mode;
	} keys[] = {
		{ "sk_live_1", LIVEMODE_LIVE }, { "rk_live_1", LIVEMODE_LIVE },
		{ "sk_test_1", LIVEMODE_TEST }, { "rk_test_1", LIVEMODE_TEST },
		{ "sk_org_1", LIVEMODE_ANY }, { "sk_", LIVEMODE_ANY },
	};
	struct config cfg = { .api_rate = 20 };
	struct err err = ERR_INIT;
	struct api *api;
	char key[32], base[] = "https://api.stripe.com";

	ck_assert_ptr_null(api_new(&cfg, NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "STRIPE_SECRET_KEY is not set"));
	cfg.api_base = base;
	for (int i = 0; i < COUNT(keys); i++) {
		strncpy(key, keys[i].key, sizeof(key) - 1);
		key[sizeof(key) - 1] = '\0';
		cfg.secret_key = key;
		api = api_new(&cfg, NULL, &err);
		ck_assert_ptr_nonnull(api);
		ck_assert_int_eq(api_mode(api), keys[i].mode);
		api_free(api);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("api");
	TCase *tc = tcase_create("api");

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, test_answers, 0, COUNT(answers));
	tcase_add_test(tc, test_repeat);
	tcase_add_test(tc, test_key);
	return suite_run(suite);
}
