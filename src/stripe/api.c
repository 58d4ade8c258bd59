/* Speaks HTTP with Stripe's API through libcurl. */
#include "stripe/api.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "stripe/api_say.h"

enum {
	TRIES_MAX = 6,			/* of one request */
	BACKOFF_MS = 300,		/* the first wait; doubles each time */
	RETRY_AFTER_MAX = 60,		/* seconds that Stripe may ask for */
	CONNECT_TIMEOUT = 10,		/* seconds */
	ANSWER_TIMEOUT = 40,
	ANSWER_MAX = 64 * 1024 * 1024	/* bytes; a page is some 500 KB */
};

struct api {
	CURL *curl;
	const char *key, *base, *version;	/* borrowed from cfg */
	long interval_ms;			/* between requests */
	int64_t next_ms;			/* when one may go again */
	void (*say)(const char *line);
	char error[CURL_ERROR_SIZE];
	/* Of the request in hand. */
	char *body;
	size_t len;
	long retry_after;			/* seconds, -1 if not told */
	struct api_answer *answer;
};

static size_t
take_body(char *data, size_t size, size_t n, void *to)
{
	struct api *api = to;

	(void)size;		/* is 1 */
	if (n > ANSWER_MAX - api->len)
		return 0;
	api->body = mem_reallocarray(api->body, api->len + n + 1, 1);
	memcpy(api->body + api->len, data, n);
	api->len += n;
	return n;
}

/* The line's value if its name is this one, ended by NUL; else NULL. */
static char *
header_value(char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	line += len + 1;
	line += strspn(line, " \t");
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

static size_t
take_header(char *data, size_t size, size_t n, void *from)
{
	struct api *api = from;
	char line[256], *value;

	(void)size;
	snprintf(line, sizeof(line), "%.*s", n < sizeof(line) ? (int)n :
	    (int)sizeof(line) - 1, data);
	if ((value = header_value(line, "date")) != NULL)
		api->answer->date = (int64_t)curl_getdate(value, NULL);
	else if ((value = header_value(line, "retry-after")) != NULL)
		api->retry_after = strtol(value, NULL, 10);
	else if ((value = header_value(line, "stripe-version")) != NULL)
		snprintf(api->answer->version, sizeof(api->answer->version),
		    "%s", value);
	return n;
}

static void
set_options(struct api *api)
{
	bool plain = strncmp(api->base, "http:", 5) == 0;
	CURL *curl = api->curl;

	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" :
	    "https");
	/* The key must not pass a proxy in plain text. */
	if (plain)
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ANSWER_TIMEOUT);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(curl, CURLOPT_USERAGENT,
	    "stripehook/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
	curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, api->key);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, api->error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, api);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, api);
}

struct api *
api_new(const struct config *cfg, void (*say)(const char *line),
    struct err *err)
{
	struct api *api;

	if (cfg->secret_key == NULL) {
		err_add(err, "STRIPE_SECRET_KEY is not set: Stripe's API can't "
		    "be asked without it. A restricted key with read rights "
		    "will do (dashboard, Developers > API keys)");
		return NULL;
	}
	api = mem_calloc(1, sizeof(*api));
	api->key = cfg->secret_key;
	api->base = cfg->api_base;
	api->version = cfg->api_version;
	api->interval_ms = 1000 / cfg->api_rate;
	api->say = say;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (api->curl = curl_easy_init()) == NULL) {
		err_add(err, "libcurl can't be set up");
		free(api);
		return NULL;
	}
	set_options(api);
	return api;
}

void
api_free(struct api *api)
{
	if (api == NULL)
		return;
	curl_easy_cleanup(api->curl);
	free(api->body);
	free(api);
}

static void
sleep_ms(int64_t ms)
{
	struct timespec ts = { .tv_sec = ms / 1000,
	    .tv_nsec = ms % 1000 * 1000000 };

	while (ms > 0 && nanosleep(&ts, &ts) != 0)
		;
}

static void
keep_rate(struct api *api)
{
	int64_t now = clock_ms();

	sleep_ms(api->next_ms - now);
	api->next_ms = (api->next_ms > now ? api->next_ms : now) +
	    api->interval_ms;
}

static struct curl_slist *
make_headers(const struct api *api, const char *account)
{
	struct curl_slist *list = NULL;
	char line[512];

	if (api->version != NULL) {
		snprintf(line, sizeof(line), "Stripe-Version: %s",
		    api->version);
		list = curl_slist_append(list, line);
	}
	if (account[0] != '\0') {
		snprintf(line, sizeof(line), "Stripe-Account: %s", account);
		list = curl_slist_append(list, line);
	}
	return list;
}

/* One try: the status, or 0 with the reason in api->error. */
static long
ask(struct api *api, const char *url, struct curl_slist *headers, bool *again)
{
	curl_off_t lasted = 0;
	long status = 0;
	CURLcode code;

	api->len = 0;
	api->retry_after = -1;
	api->error[0] = '\0';
	*api->answer = (struct api_answer){ .date = -1 };
	curl_easy_setopt(api->curl, CURLOPT_URL, url);
	curl_easy_setopt(api->curl, CURLOPT_HTTPHEADER, headers);
	keep_rate(api);
	code = curl_easy_perform(api->curl);
	curl_easy_getinfo(api->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(api->curl, CURLINFO_TOTAL_TIME_T, &lasted);
	api->answer->lasted = lasted / 1000000;
	if (code == CURLE_OK) {
		*again = api_may_repeat(status);
		return status;
	}
	if (api->error[0] == '\0')
		snprintf(api->error, sizeof(api->error), "%s",
		    curl_easy_strerror(code));
	/* A wrong certificate or address stays wrong. */
	*again = code != CURLE_PEER_FAILED_VERIFICATION &&
	    code != CURLE_SSL_CACERT_BADFILE && code != CURLE_URL_MALFORMAT &&
	    code != CURLE_UNSUPPORTED_PROTOCOL && code != CURLE_WRITE_ERROR;
	return 0;
}

/* Waits before the next try: as Stripe says, or longer each time. */
static void
back_off(struct api *api, unsigned tries, long status)
{
	int64_t ms = (int64_t)BACKOFF_MS << (tries - 1);
	char line[CURL_ERROR_SIZE + 128], why[CURL_ERROR_SIZE];

	/* Jitter, so that several tools don't come back together. */
	ms = ms / 2 + random() % (ms / 2 + 1);
	if (api->retry_after >= 0)
		ms = 1000 * (int64_t)(api->retry_after < RETRY_AFTER_MAX ?
		    api->retry_after : RETRY_AFTER_MAX) + random() % 100;
	if (status == 0)
		snprintf(why, sizeof(why), "%s", api->error);
	else
		snprintf(why, sizeof(why), "Stripe answered %ld", status);
	snprintf(line, sizeof(line), "%s; trying again in %" PRId64 ".%" PRId64
	    " s", why, ms / 1000, ms % 1000 / 100);
	if (api->say != NULL)
		api->say(line);
	sleep_ms(ms);
}

enum api_result
api_get(struct api *api, const char *path, const char *account,
    struct api_answer *answer, struct err *err)
{
	struct curl_slist *headers = make_headers(api, account);
	size_t size = strlen(api->base) + strlen(path) + 1;
	char *url = mem_calloc(size, 1);
	enum api_result result;
	bool again = true;
	long status = 0;

	snprintf(url, size, "%s%s", api->base, path);
	api->answer = answer;
	for (unsigned tries = 1; again; tries++) {
		status = ask(api, url, headers, &again);
		if (tries == TRIES_MAX)
			break;
		if (again)
			back_off(api, tries, status);
	}
	if (status != 0) {
		result = api_read(status, path, api->body, api->len, api->key,
		    answer, err);
	} else {
		err_add(err, "%s can't be reached: %s", api->base, api->error);
		result = API_UNREACHABLE;
	}
	curl_slist_free_all(headers);
	free(url);
	return result;
}

void
api_answer_clear(struct api_answer *answer)
{
	json_object_put(answer->json);
	answer->json = NULL;
}

enum livemode
api_mode(const struct api *api)
{
	/* "sk_" or "rk_", then the mode; organizations' keys have none. */
	if (strncmp(api->key + 2, "_live_", 6) == 0)
		return LIVEMODE_LIVE;
	if (strncmp(api->key + 2, "_test_", 6) == 0)
		return LIVEMODE_TEST;
	return LIVEMODE_ANY;
}

char *
api_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, (int)strlen(text));
	char *copy = mem_strdup(escaped != NULL ? escaped : "");

	curl_free(escaped);
	return copy;
}
