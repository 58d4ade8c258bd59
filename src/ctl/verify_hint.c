/* Finds out why a signature fails, by trying what often goes wrong. */
#include "ctl/verify_hint.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stripe/signature.h"

static bool
ends_in(const char *s, size_t len, const char *set)
{
	return len > 0 && s[len - 1] != '\0' &&
	    strchr(set, s[len - 1]) != NULL;
}

/*
 * Trials of mistakes that are often made: each changes a copy of the delivery
 * and returns false if there is nothing to change. The copy's body has room
 * for one more byte, its secrets may be cut short.
 */

static bool
cut_body_newlines(struct delivery *d)
{
	size_t was = d->len;

	while (ends_in(d->body, d->len, "\r\n"))
		d->len--;
	return d->len < was;
}

static bool
add_body_newline(struct delivery *d)
{
	d->body[d->len++] = '\n';
	return true;
}

static bool
cut_body_returns(struct delivery *d)
{
	size_t n = 0;
	bool changed;

	for (size_t i = 0; i < d->len; i++)
		if (d->body[i] != '\r' || i + 1 == d->len ||
		    d->body[i + 1] != '\n')
			d->body[n++] = d->body[i];
	changed = n < d->len;
	d->len = n;
	return changed;
}

static bool
cut_secret_blanks(struct delivery *d)
{
	bool changed = false;

	for (size_t i = 0; i < d->secrets.n; i++) {
		struct signing_secret *s = &d->secrets.list[i];

		for (; ends_in(s->text, s->len, " \t\r\n"); s->len--)
			changed = true;
	}
	return changed;
}

static bool
cut_header_end(struct delivery *d)
{
	size_t was = d->header_len;

	while (ends_in(d->header, d->header_len, " \t\r\n"))
		d->header_len--;
	return d->header_len < was;
}

static const struct trial {
	bool (*change)(struct delivery *d);
	const char *hint;
} trials[] = {
	{ cut_body_newlines, "It does match without the newline at the body's "
	    "end, which Stripe didn't send: echo and editors add one." },
	{ add_body_newline, "It does match with a newline at the body's end: "
	    "something cut it off." },
	{ cut_body_returns, "It does match with LF in place of the body's CR "
	    "LF: something converted the line ends." },
	{ cut_secret_blanks, "It does match without the blank or newline at "
	    "the secret's end: write the secret with printf '%s'." },
	{ cut_header_end, "It does match without the line end at the header's "
	    "end." },
};

/* Whether the signature, but for the clock, is right after the change. */
static bool
try(const struct delivery *d, const struct trial *trial)
{
	struct delivery copy = *d;
	size_t n = d->secrets.n;
	bool matches;

	copy.tolerance = 0;
	copy.body = mem_calloc(d->len + 1, 1);
	memcpy(copy.body, d->body, d->len);
	copy.secrets.list = mem_calloc(n, sizeof(*copy.secrets.list));
	memcpy(copy.secrets.list, d->secrets.list,
	    n * sizeof(*copy.secrets.list));
	matches = trial->change(&copy) && signature_check(copy.header,
	    copy.header_len, copy.body, copy.len, &copy.secrets, copy.now,
	    copy.tolerance, NULL) == OUT_OK;
	free(copy.secrets.list);
	free(copy.body);
	return matches;
}

static void
explain_mismatch(const struct delivery *d)
{
	static const char start[] = "{\n  \"";
	const size_t n = sizeof(trials) / sizeof(trials[0]);

	for (size_t i = 0; i < n; i++)
		if (try(d, &trials[i])) {
			fprintf(stderr, "%s\n", trials[i].hint);
			return;
		}
	fprintf(stderr, "%s\n", outcome_table[OUT_MISMATCH].message);
	if (d->len < sizeof(start) - 1 ||
	    memcmp(d->body, start, sizeof(start) - 1) != 0)
		fputs("Stripe's bodies begin with '{', a newline and two "
		    "blanks; this one doesn't. Was it parsed and written "
		    "again? The raw bytes are what is signed.\n", stderr);
	if (ends_in(d->body, d->len, "\n"))
		fputs("The body ends in a newline; Stripe's don't.\n", stderr);
}

void
verify_explain(const struct delivery *d, enum outcome out)
{
	if (out == OUT_MISMATCH) {
		explain_mismatch(d);
		return;
	}
	fprintf(stderr, "%s\n", outcome_table[out].message);
	if (out == OUT_TOO_OLD || out == OUT_TOO_NEW)
		fprintf(stderr, "The signature itself is right. The clock was "
		    "taken as %" PRId64 ", the tolerance as %" PRId64 " s; "
		    "--now UNIX or --tolerance 0 checks a delivery that was "
		    "kept.\n", d->now, d->tolerance);
}
