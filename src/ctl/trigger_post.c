/* A delivery as Stripe's: its headers, its signature, where it may go. */
#include "ctl/trigger_post.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/config.h"
#include "ctl/trigger_deliver.h"
#include "ctl/trigger_target.h"
#include "stripe/sample.h"
#include "stripe/signature.h"

enum { TIMEOUT = 30 };		/* seconds, as the Stripe CLI has */

const struct signing_secret *
post_secret(const struct signing_secrets *secrets)
{
	for (size_t i = 0; i < secrets->n; i++)
		if (secrets->list[i].mode != LIVEMODE_LIVE)
			return &secrets->list[i];
	if (secrets->n == 0)
		fputs("stripehookctl: STRIPE_WEBHOOK_SECRET is not set, so "
		    "there is nothing to sign with\n", stderr);
	else
		fputs("stripehookctl: every STRIPE_WEBHOOK_SECRET is "
		    "labelled 'live:', and made-up events are never signed "
		    "by one; add another, 'test:whsec_...'\n", stderr);
	return NULL;
}

void
post_sign(char line[SIGNATURE_LINE_MAX], const struct sample_event *ev,
    const struct deliver_options *opt)
{
	int64_t t = clock_wall_us() / 1000000 - opt->stale;
	char hex[SIGNATURE_HEX + 1];

	if (signature_make(hex, t, ev->body, ev->len, opt->secret,
	    opt->secret_len) != 0)
		abort();
	snprintf(line, SIGNATURE_LINE_MAX, "Stripe-Signature: t=%" PRId64
	    ",v1=%s", t, hex);
}

/* Keeps the beginning of an answer. */
static size_t
collect(char *data, size_t size, size_t n, void *arg)
{
	struct post *post = arg;
	size_t len = size * n, room = sizeof(post->answer) - 1 -
	    post->answer_len;

	if (room > len)
		room = len;
	memcpy(post->answer + post->answer_len, data, room);
	post->answer_len += room;
	post->answer[post->answer_len] = '\0';
	return len;
}

/* Names may change their addresses after they were looked at. */
static curl_socket_t
open_loopback(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)arg;
	(void)purpose;
	if (!target_is_loopback(&address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
}

#define SET(easy, option, value) do { \
	if (curl_easy_setopt((easy), (option), (value)) != CURLE_OK) \
		abort(); \
} while (0)

void
post_init(struct post *post, const struct target *target, void *owner)
{
	CURL *easy = post->easy = curl_easy_init();

	if (easy == NULL)
		abort();
	SET(easy, CURLOPT_URL, target->url);
	SET(easy, CURLOPT_PRIVATE, owner);
	SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(easy, CURLOPT_TIMEOUT, (long)TIMEOUT);
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_WRITEFUNCTION, collect);
	SET(easy, CURLOPT_WRITEDATA, post);
	SET(easy, CURLOPT_POST, 1L);
	if (!target->loopback)
		return;
	/* A proxy would be another machine; certificates here are made up. */
	SET(easy, CURLOPT_PROXY, "");
	SET(easy, CURLOPT_OPENSOCKETFUNCTION, open_loopback);
	SET(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	SET(easy, CURLOPT_SSL_VERIFYHOST, 0L);
}

struct curl_slist *
post_headers(void)
{
	static const char *const lines[] = {
		"Content-Type: application/json; charset=utf-8",
		"User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)",
		"Accept: */*; q=0.5, application/xml",
		"Cache-Control: no-cache",
		"Expect:",	/* libcurl's own, which Stripe doesn't send */
	};
	struct curl_slist *list = NULL, *longer;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if ((longer = curl_slist_append(list, lines[i])) == NULL)
			abort();
		list = longer;
	}
	return list;
}

void
post_prepare(struct post *post, const struct sample_event *ev,
    const struct deliver_options *opt, struct curl_slist *headers)
{
	post_sign(post->signature, ev, opt);
	post->headers = (struct curl_slist){ post->signature, headers };
	post->answer_len = 0;
	post->answer[0] = '\0';
	SET(post->easy, CURLOPT_HTTPHEADER, &post->headers);
	SET(post->easy, CURLOPT_POSTFIELDS, ev->body);
	SET(post->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ev->len);
}
