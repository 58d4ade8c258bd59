/* stripehookctl token: a status token, as an application's back end makes. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "ctl/ctl.h"
#include "stripe/state.h"
#include "stripe/token.h"

enum {
	TTL_DEFAULT = 900,
	TTL_MAX = 86400		/* a token can't be taken back */
};

/* Seconds from text, or -1 with the fault printed. */
static long
ttl_parse(const char *text)
{
	char *end;
	long ttl;

	errno = 0;
	ttl = strtol(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0 && ttl >= 1 &&
	    ttl <= TTL_MAX)
		return ttl;
	fprintf(stderr, "stripehookctl: --ttl: '%s' is not a number of "
	    "seconds from 1 to %d\n", text, TTL_MAX);
	return -1;
}

/* Prints the token for id, signed with the first key. */
static int
print_token(const char *id, long ttl, const struct strings *keys)
{
	char token[TOKEN_MAX];
	int64_t expiry = clock_wall_us() / 1000000 + ttl;

	if (keys->n == 0) {
		fputs("stripehookctl: STRIPEHOOK_STATUS_KEY is not set; "
		    "'openssl rand -hex 32' makes a good one\n", stderr);
		return CTL_UNREACHABLE;
	}
	if (token_make(token, id, expiry, keys->s[0]) != 0) {
		fputs("stripehookctl: OpenSSL could not sign the token\n",
		    stderr);
		return CTL_UNREACHABLE;
	}
	puts(token);
	return CTL_DONE;
}

int
ctl_token(int argc, char **argv)
{
	static const struct option options[] = {
		{ "ttl", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 }
	};
	enum object_kind kind;
	struct config cfg;
	long ttl = TTL_DEFAULT;
	int c, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 't' || (ttl = ttl_parse(optarg)) == -1)
			return ctl_usage();
	}
	if (argc - optind != 1)
		return ctl_usage();
	if (!state_kind(argv[optind], strlen(argv[optind]), &kind)) {
		fprintf(stderr, "stripehookctl: '%s' is not the id of an "
		    "object whose state can be asked for (pi_, seti_, sub_, "
		    "in_, cs_)\n", argv[optind]);
		return CTL_USAGE;
	}
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	status = print_token(argv[optind], ttl, &cfg.status_keys);
	config_free(&cfg);
	return status;
}
