/* stripehookctl verify: why does a delivery's signature fail? */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/mem.h"
#include "base/outcome.h"
#include "ctl/ctl.h"
#include "ctl/verify_hint.h"
#include "stripe/signature.h"

enum { TOLERANCE_DEFAULT = 300, READ_STEP = 65536 };

/*
 * All that a stream holds, to be freed, a NUL behind it; or NULL with the
 * fault printed.
 */
static char *
read_stream(FILE *f, const char *name, size_t *len)
{
	char *text = NULL;
	size_t n = 0, got;

	do {
		text = mem_reallocarray(text, n + READ_STEP + 1, 1);
		got = fread(text + n, 1, READ_STEP, f);
		n += got;
	} while (got > 0);
	if (ferror(f)) {
		fprintf(stderr, "stripehookctl: %s: %s\n", name,
		    strerror(errno));
		free(text);
		return NULL;
	}
	text[n] = '\0';
	*len = n;
	return text;
}

static char *
read_file(const char *path, size_t *len)
{
	FILE *f;
	char *text;

	if (strcmp(path, "-") == 0)
		return read_stream(stdin, "standard input", len);
	if ((f = fopen(path, "rb")) == NULL) {
		fprintf(stderr, "stripehookctl: %s: %s\n", path,
		    strerror(errno));
		return NULL;
	}
	text = read_stream(f, path, len);
	fclose(f);
	return text;
}

static bool
blank(const struct signing_secret *s)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->text[i] == '\0' ||
		    strchr(" \t\r\n\v\f", s->text[i]) == NULL)
			return false;
	return true;
}

static int
verify(const struct delivery *d, bool verbose)
{
	size_t which = 0;
	enum outcome out;

	if (d->secrets.n == 0 || blank(&d->secrets.list[0])) {
		puts("reject: no_secret");
		fputs("There is no signing secret: set STRIPE_WEBHOOK_SECRET, "
		    "or name a file that holds one by --secret-file.\n",
		    stderr);
		return CTL_NO;
	}
	out = signature_check(d->header, d->header_len, d->body, d->len,
	    &d->secrets, d->now, d->tolerance, &which);
	if (out == OUT_NOT_READY) {
		fputs("stripehookctl: OpenSSL can't compute HMAC-SHA256\n",
		    stderr);
		return CTL_UNREACHABLE;
	}
	if (out != OUT_OK) {
		printf("reject: %s\n", outcome_table[out].code);
		verify_explain(d, out);
		return CTL_NO;
	}
	puts("accept");
	if (verbose)
		fprintf(stderr, "secret %zu of %zu matched\n", which + 1,
		    d->secrets.n);
	return CTL_DONE;
}

struct options {
	const char *header, *secret_file, *file;
	int64_t now, tolerance;		/* -1: not given */
	bool verbose;
};

/* Verifies with the secret that --secret-file names. */
static int
with_file(struct delivery *d, const struct options *o)
{
	struct signing_secret one = { .mode = LIVEMODE_ANY };
	int rc;

	if ((one.text = read_file(o->secret_file, &one.len)) == NULL)
		return CTL_UNREACHABLE;
	d->secrets = (struct signing_secrets){ &one, 1 };
	d->tolerance = o->tolerance >= 0 ? o->tolerance : TOLERANCE_DEFAULT;
	rc = verify(d, o->verbose);
	d->secrets = (struct signing_secrets){ NULL, 0 };
	explicit_bzero(one.text, one.len);
	free(one.text);
	return rc;
}

/* Verifies with the secrets of the settings. */
static int
with_config(struct delivery *d, const struct options *o)
{
	struct config cfg;
	int rc;

	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	d->secrets = cfg.webhook_secrets;
	d->tolerance = o->tolerance >= 0 ? o->tolerance : cfg.tolerance;
	rc = verify(d, o->verbose);
	config_free(&cfg);
	return rc;
}

/* Seconds, or -1 with the fault printed. */
static int64_t
seconds(const char *option, const char *text)
{
	const int64_t max = 999999999999999999;
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0 && v >= 0 && v <= max)
		return v;
	fprintf(stderr, "stripehookctl: %s: '%s' is not a number of seconds\n",
	    option, text);
	return -1;
}

/* The header's value, also where its name stands in front, as in a log. */
static const char *
header_value(const char *header)
{
	static const char name[] = "Stripe-Signature:";

	if (strncasecmp(header, name, sizeof(name) - 1) != 0)
		return header;
	header += sizeof(name) - 1;
	return header + strspn(header, " \t");
}

/* Fills *o. Returns 0, or -1 with the fault printed. */
static int
parse_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "now", required_argument, NULL, 'n' },
		{ "tolerance", required_argument, NULL, 't' },
		{ "header", required_argument, NULL, 'h' },
		{ "secret-file", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "v", names, NULL)) != -1) {
		if (c == 'h')
			o->header = header_value(optarg);
		else if (c == 's')
			o->secret_file = optarg;
		else if (c == 'v')
			o->verbose = true;
		else if (c == 'n') {
			if ((o->now = seconds("--now", optarg)) == -1)
				return -1;
		} else if (c != 't' || (o->tolerance = seconds("--tolerance",
		    optarg)) == -1)
			return -1;
	}
	if (o->header == NULL) {
		fputs("stripehookctl: verify needs --header with the value of "
		    "the Stripe-Signature header\n", stderr);
		return -1;
	}
	if (argc - optind != 1) {
		fputs("stripehookctl: verify needs one FILE with the raw body "
		    "('-' for standard input)\n", stderr);
		return -1;
	}
	o->file = argv[optind];
	return 0;
}

int
ctl_verify(int argc, char **argv)
{
	struct options o = { .now = -1, .tolerance = -1 };
	struct delivery d = { .header = NULL };
	int rc;

	if (parse_options(&o, argc, argv) == -1)
		return ctl_usage();
	if ((d.body = read_file(o.file, &d.len)) == NULL)
		return CTL_UNREACHABLE;
	d.header = o.header;
	d.header_len = strlen(o.header);
	d.now = o.now >= 0 ? o.now : clock_wall_us() / 1000000;
	rc = o.secret_file != NULL ? with_file(&d, &o) : with_config(&d, &o);
	free(d.body);
	return rc;
}
