/*
 * Rules for single settings: most are mistakes that would otherwise show only
 * as deliveries that fail, or not at all. A secret's value is never shown.
 */
#include "base/setting_rule.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/setting.h"

enum {
	SECRET_MIN = 32,	/* Stripe's secrets have that many digits */
	STATUS_KEY_MIN = 32
};

/* What the other things of Stripe's begin with. */
static const struct {
	const char *prefix, *what;
} kinds[] = {
	{ "sk_", "a secret API key" },
	{ "rk_", "a restricted API key" },
	{ "pk_", "a publishable key" },
	{ "we_", "the id of a webhook endpoint" },
	{ "whsec_", "a webhook's signing secret" },
};

bool
rule_blank(char c)
{
	return c != '\0' && strchr(SETTING_BLANKS, c) != NULL;
}

static bool
begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static const char *
kind_of(const char *value)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (begins(value, kinds[i].prefix))
			return kinds[i].what;
	}
	return "something else";
}

bool
rule_looks_secret(const char *text)
{
	return strstr(text, "whsec_") != NULL || begins(text, "sk_") ||
	    begins(text, "rk_");
}

/* What documentation writes in the place of a secret: whsec_..., whsec_xxx. */
static bool
is_placeholder(const char *secret)
{
	static const char *const words[] = {
		"your", "<", "replace", "changeme", "change_me"
	};
	const char *s = begins(secret, "whsec_") ? secret + 6 : secret;

	/* The octal bytes are those of the ellipsis, U+2026. */
	if (s[strspn(s, ".xX*-\342\200\246")] == '\0')
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncasecmp(s, words[i], strlen(words[i])) == 0)
			return strlen(s) < SECRET_MIN;
	}
	return false;
}

void
rule_signing_secret(const char *secret, size_t nth, const struct report *r)
{
	size_t len = strlen(secret);

	if (strspn(secret, SETTING_BLANKS) == len)
		report_error(r, "secret %zu is blank; check the commas", nth);
	else if (begins(secret, "sk_") || begins(secret, "rk_") ||
	    begins(secret, "pk_") || begins(secret, "we_"))
		report_error(r, "secret %zu is %s, not a signing secret "
		    "(whsec_...): Stripe's dashboard shows that on the "
		    "endpoint's page", nth, kind_of(secret));
	else if (is_placeholder(secret))
		report_error(r, "secret %zu is a placeholder; put the real "
		    "signing secret (whsec_...) in its place", nth);
	else if (rule_blank(secret[0]) || rule_blank(secret[len - 1]))
		report_note(r, "secret %zu begins or ends with white space, "
		    "which is used as part of it", nth);
	else if (!begins(secret, "whsec_"))
		report_note(r, "secret %zu doesn't begin with whsec_, as "
		    "Stripe's signing secrets do", nth);
}

static void
check_secret_key(const void *member, const struct report *r)
{
	const char *value = *(char *const *)member;

	if (!begins(value, "sk_") && !begins(value, "rk_"))
		report_error(r, "is %s, not a secret or restricted API key "
		    "(sk_..., rk_...)", kind_of(value));
}

static void
check_publishable_key(const void *member, const struct report *r)
{
	const char *value = *(char *const *)member;

	if (begins(value, "pk_"))
		return;
	report_error(r, "is %s, not a publishable key (pk_...); it would be "
	    "shown to everybody", kind_of(value));
}

static void
check_socket(const void *member, const struct report *r)
{
	const char *path = *(char *const *)member;
	size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (strlen(path) > max)
		report_error(r, "the path is %zu bytes long; a unix socket's "
		    "may have %zu", strlen(path), max);
}

static void
check_status_keys(const void *member, const struct report *r)
{
	const struct strings *keys = member;

	for (size_t i = 0; i < keys->n; i++) {
		if (strlen(keys->s[i]) < STATUS_KEY_MIN)
			report_error(r, "key %zu is shorter than %d "
			    "characters; 'openssl rand -hex 32' makes a good "
			    "one", i + 1, STATUS_KEY_MIN);
	}
}

/* Bytes of a host name or a bracketed address, as browsers write them. */
static size_t
host_length(const char *host)
{
	size_t len;

	if (host[0] != '[')
		return strspn(host, "0123456789abcdefghijklmnopqrstuvwxyz.-_");
	len = 1 + strspn(host + 1, "0123456789abcdef:.");
	return host[len] == ']' ? len + 1 : 0;
}

/* What is wrong with the host[:port] of an origin, or NULL. */
static const char *
host_fault(const char *host, const char *default_port)
{
	const char *end = host + host_length(host);
	size_t digits = 0;

	if (end != host && *end == ':') {
		digits = strspn(end + 1, "0123456789");
		if (digits == 0 || digits > 5 ||
		    strtol(end + 1, NULL, 10) > UINT16_MAX)
			return "its port is not a number up to 65535";
		if (strcmp(end + 1, default_port) == 0)
			return "browsers leave the scheme's own port out; so "
			    "must it";
		end += 1 + digits;
	}
	if (*end == '/')
		return "it must end after host or port, without a path or '/'";
	if (end == host || *end != '\0')
		return "its host is malformed (write it in lower case, as "
		    "browsers do)";
	return NULL;
}

static const char *
origin_fault(const char *origin)
{
	size_t scheme = strspn(origin,
	    "abcdefghijklmnopqrstuvwxyz0123456789+.-");

	if (scheme == 0 || strncmp(origin + scheme, "://", 3) != 0)
		return "it must begin with https:// or another scheme";
	return host_fault(origin + scheme + 3,
	    begins(origin, "https:") ? "443" :
	    begins(origin, "http:") ? "80" : "");
}

static void
check_origins(const void *member, const struct report *r)
{
	const struct strings *list = member;
	const char *fault;

	for (size_t i = 0; i < list->n; i++) {
		if ((fault = origin_fault(list->s[i])) != NULL)
			report_error(r, "'%.100s' is no origin (as "
			    "https://shop.example): %s", list->s[i], fault);
	}
}

/* Whether what follows http:// is a host on which nobody can listen in. */
static bool
is_loopback(const char *host)
{
	static const char *const hosts[] = { "localhost", "127.0.0.1", "[::1]" };
	size_t len;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		len = strlen(hosts[i]);
		if (strncmp(host, hosts[i], len) == 0 &&
		    (host[len] == '\0' || host[len] == ':' ||
		    host[len] == '/'))
			return true;
	}
	return false;
}

static void
check_api_base(const void *member, const struct report *r)
{
	const char *url = *(char *const *)member;
	size_t len = strlen(url);

	if (!begins(url, "https://") &&
	    !(begins(url, "http://") && is_loopback(url + 7)))
		report_error(r, "must begin with https:// (http:// is for "
		    "localhost, 127.0.0.1 and [::1] alone, since the secret "
		    "key goes there)");
	else if (url[len - 1] == '/' || strpbrk(url, "?#@ \t") != NULL)
		report_error(r, "must be scheme, host and port, as "
		    "https://api.stripe.com, without a '/' at the end");
}

static void
check_api_version(const void *member, const struct report *r)
{
	const char *version = *(char *const *)member;

	if (strlen(version) > 63 || version[strspn(version,
	    "0123456789abcdefghijklmnopqrstuvwxyz.-_;=")] != '\0')
		report_error(r, "is no API version (as 2025-08-27.basil)");
}

/* The list goes into URLs and, in what Stripe answers, to the journal. */
static void
check_types(const void *member, const struct report *r)
{
	const struct strings *list = member;

	for (size_t i = 0; i < list->n; i++) {
		if (list->s[i][strspn(list->s[i],
		    "0123456789abcdefghijklmnopqrstuvwxyz._")] != '\0')
			report_error(r, "'%.60s' is no event type (as "
			    "invoice.paid; Stripe takes no '*' here)",
			    list->s[i]);
	}
}

static const struct rule {
	const char *key;
	void (*check)(const void *member, const struct report *r);
	const char *missing;
} rules[] = {
	{ "STRIPE_WEBHOOK_SECRET", NULL,
	    " Stripe's dashboard shows it on the endpoint's page; 'stripe "
	    "listen --print-secret' prints the Stripe CLI's own." },
	{ "STRIPE_SECRET_KEY", check_secret_key, NULL },
	{ "STRIPE_PUBLISHABLE_KEY", check_publishable_key, NULL },
	{ "STRIPEHOOK_API_BASE", check_api_base, NULL },
	{ "STRIPEHOOK_API_VERSION", check_api_version, NULL },
	{ "STRIPEHOOK_RECONCILE_TYPES", check_types, NULL },
	{ "STRIPEHOOK_DB_SOCKET", check_socket, NULL },
	{ "STRIPEHOOK_INGEST_SOCKET", check_socket, NULL },
	{ "STRIPEHOOK_STATUS_SOCKET", check_socket, NULL },
	{ "STRIPEHOOK_STATUS_KEY", check_status_keys, NULL },
	{ "STRIPEHOOK_ALLOWED_ORIGINS", check_origins, NULL },
};

static const struct rule *
rule_of(const struct setting *s)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i].key, s->key) == 0)
			return &rules[i];
	}
	return NULL;
}

void
rule_check(const struct setting *s, const void *member, const struct report *r)
{
	const struct rule *rule = rule_of(s);

	if (rule != NULL && rule->check != NULL)
		rule->check(member, r);
}

const char *
rule_missing_hint(const struct setting *s)
{
	const struct rule *rule = rule_of(s);

	return rule != NULL && rule->missing != NULL ? rule->missing : "";
}
