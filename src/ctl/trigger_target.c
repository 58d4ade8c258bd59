/* Finds out which machine a URL names. */
#include "ctl/trigger_target.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/ctl.h"

#define ROUTE "/api/webhooks/stripe/"

enum { LOOPBACK_NET = 127 };

static bool
is_loopback_net(uint32_t address)
{
	return address >> 24 == LOOPBACK_NET;
}

bool
target_is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in6 *six = (const void *)address;
	const struct sockaddr_in *four = (const void *)address;
	uint32_t mapped;

	if (address->sa_family == AF_INET)
		return is_loopback_net(ntohl(four->sin_addr.s_addr));
	if (address->sa_family != AF_INET6)
		return false;
	if (!IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	memcpy(&mapped, &six->sin6_addr.s6_addr[12], sizeof(mapped));
	return is_loopback_net(ntohl(mapped));
}

static int
refuse(const char *what, const char *why)
{
	fprintf(stderr, "stripehookctl: '%s' %s\n", what, why);
	return CTL_USAGE;
}

/* A host without an address isn't this machine either. */
static int
resolve(struct target *target, const char *host, bool anywhere)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int rc = getaddrinfo(host, NULL, &hints, &list);

	if (rc != 0 && anywhere) {
		fprintf(stderr, "stripehookctl: %s: %s\n", host,
		    gai_strerror(rc));
		return CTL_UNREACHABLE;
	}
	target->loopback = rc == 0;
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
		target->loopback &= target_is_loopback(a->ai_addr);
	if (list != NULL)
		freeaddrinfo(list);
	if (target->loopback || anywhere)
		return CTL_DONE;
	return refuse(host, "is another machine, which may hold real "
	    "customers: made-up events go to this one only, unless you say "
	    "--i-mean-it");
}

/* An IPv6 address stands in brackets in a URL. */
static void
strip_brackets(char *host)
{
	size_t len = strlen(host);

	if (len < 2 || host[0] != '[')
		return;
	memmove(host, host + 1, len - 2);
	host[len - 2] = '\0';
}

static int
examine(struct target *target, CURLU *parsed, const char *url, bool anywhere)
{
	char *scheme = NULL, *host = NULL, *path = NULL;
	int rc = CTL_USAGE;

	if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_PATH, &path, 0) != CURLUE_OK ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
		refuse(url, "is not an http or https URL, such as "
		    "http://localhost:8000" ROUTE);
		goto out;
	}
	strip_brackets(host);
	if ((rc = resolve(target, host, anywhere)) != CTL_DONE)
		goto out;
	if (strcmp(path, "/") == 0)
		curl_url_set(parsed, CURLUPART_PATH, ROUTE, 0);
	if (curl_url_get(parsed, CURLUPART_URL, &target->url, 0) != CURLUE_OK)
		abort();
out:
	curl_free(scheme);
	curl_free(host);
	curl_free(path);
	return rc;
}

int
target_find(struct target *target, const char *url, long port, bool anywhere)
{
	char local[64];
	CURLU *parsed = curl_url();
	int rc;

	if (parsed == NULL)
		abort();
	*target = (struct target){ .url = NULL };
	snprintf(local, sizeof(local), "http://localhost:%ld" ROUTE, port);
	rc = examine(target, parsed, url != NULL ? url : local, anywhere);
	curl_url_cleanup(parsed);
	return rc;
}

void
target_free(struct target *target)
{
	curl_free(target->url);
	*target = (struct target){ .url = NULL };
}
