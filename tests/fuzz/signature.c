/*
 * Stripe-Signature headers: the verdict must be that of a second reading of
 * the same header, whose HMACs come from OpenSSL directly.
 *
 * Input: a byte of options, the header up to a newline, the body. In the
 * header '@' stands for the right signature by the first secret and '$' for
 * that by the second one, over whatever the header's first "t=" says.
 */
#include "fuzz.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "stripe/signature.h"

enum { NOW = 1700000000, TOLERANCE = 300, SECRETS = 3, V1_LOOKED_AT = 64 };

static char texts[SECRETS][24] = { "whsec_first_of_two", "whsec_second", "" };
static struct signing_secret secrets[SECRETS] = {
	{ .text = texts[0] }, { .text = texts[1] }, { .text = texts[2] },
};

struct options {
	size_t nsecrets;
	int64_t tolerance, now;
	bool no_header;
};

static struct options
read_options(unsigned char c)
{
	static const int64_t offsets[] = { 0, TOLERANCE, TOLERANCE + 1,
	    -TOLERANCE, -TOLERANCE - 1, 1 << 30, -NOW, INT64_C(1) << 40 };

	return (struct options){ .nsecrets = c & 3,
	    .tolerance = (c & 4) != 0 ? 0 : TOLERANCE,
	    .now = NOW + offsets[c >> 3 & 7],
	    .no_header = (c & 64) != 0 };
}

static void
hmac(char hex[SIGNATURE_HEX + 1], const struct signing_secret *s,
    struct fuzz_input t, struct fuzz_input body)
{
	size_t len = t.len + 1 + body.len;
	char *text = malloc(len);
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned n;

	MUST(text != NULL);
	memcpy(text, t.p, t.len);
	text[t.len] = '.';
	memcpy(text + t.len + 1, body.p, body.len);
	MUST(HMAC(EVP_sha256(), s->text, (int)s->len,
	    (const unsigned char *)text, len, out, &n) != NULL);
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", out[i]);
	free(text);
}

/* What the first "t=" says, up to the next comma. */
static struct fuzz_input
first_time(struct fuzz_input header)
{
	struct fuzz_input t = { "", 0 };
	const char *at = memmem(header.p, header.len, "t=", 2);

	if (at != NULL) {
		t.p = at + 2;
		t.len = (size_t)(header.p + header.len - t.p);
		t = fuzz_until(&t, ',');
	}
	return t;
}

/* The header with signatures in the place of their signs. */
static char *
expand(struct fuzz_input header, struct fuzz_input body, size_t *len)
{
	char hex[2][SIGNATURE_HEX + 1];
	char *out = NULL;
	FILE *f = open_memstream(&out, len);

	MUST(f != NULL);
	for (size_t i = 0; i < 2; i++)
		hmac(hex[i], &secrets[i], first_time(header), body);
	for (size_t i = 0; i < header.len; i++)
		if (header.p[i] == '@' || header.p[i] == '$')
			fputs(hex[header.p[i] == '$'], f);
		else
			putc(header.p[i], f);
	MUST(fclose(f) == 0);
	return out;
}

/* The second reading. */

static struct fuzz_input
trim(struct fuzz_input s)
{
	while (s.len > 0 && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* The value of a time as Stripe writes it, or -1. */
static int64_t
time_value(struct fuzz_input t)
{
	char text[32], again[32];
	long long v;

	if (t.len == 0 || t.len > 18)
		return -1;
	snprintf(text, sizeof(text), "%.*s", (int)t.len, t.p);
	v = strtoll(text, NULL, 10);
	snprintf(again, sizeof(again), "%lld", v);
	return v > 0 && strlen(again) == t.len &&
	    memcmp(again, t.p, t.len) == 0 ? v : -1;
}

static bool
matches(struct fuzz_input v1, size_t nsecrets, struct fuzz_input t,
    struct fuzz_input body)
{
	char hex[SIGNATURE_HEX + 1];

	for (size_t i = 0; i < nsecrets; i++) {
		hmac(hex, &secrets[i], t, body);
		if (secrets[i].len > 0 &&
		    memcmp(hex, v1.p, SIGNATURE_HEX) == 0)
			return true;
	}
	return false;
}

static enum outcome
expected(struct fuzz_input header, struct fuzz_input body,
    const struct options *o)
{
	struct fuzz_input t = { "", 0 }, left = header, item;
	unsigned times = 0, signatures = 0, whole = 0;
	bool match = false;
	int64_t value;

	while (left.len > 0) {
		item = trim(fuzz_until(&left, ','));
		if (item.len >= 2 && strncmp(item.p, "t=", 2) == 0) {
			t = (struct fuzz_input){ item.p + 2, item.len - 2 };
			times++;
		}
	}
	if (times != 1 || (value = time_value(t)) == -1)
		return OUT_BAD_HEADER;
	for (left = header; left.len > 0;) {
		item = trim(fuzz_until(&left, ','));
		if (item.len < 3 || strncmp(item.p, "v1=", 3) != 0)
			continue;
		signatures++;
		item = (struct fuzz_input){ item.p + 3, item.len - 3 };
		if (item.len == SIGNATURE_HEX && whole++ < V1_LOOKED_AT)
			match |= matches(item, o->nsecrets, t, body);
	}
	if (signatures == 0)
		return OUT_NO_SIGNATURE;
	if (body.len == 0)
		return OUT_NO_PAYLOAD;
	if (!match)
		return OUT_MISMATCH;
	if (o->tolerance != 0 && value < o->now - o->tolerance)
		return OUT_TOO_OLD;
	return o->tolerance != 0 && value > o->now + o->tolerance ?
	    OUT_TOO_NEW : OUT_OK;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < SECRETS; i++)
		secrets[i].len = strlen(secrets[i].text);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input(data, size);
	struct options o = read_options(fuzz_byte(&in));
	struct signing_secrets all = { secrets, o.nsecrets };
	struct fuzz_input header = fuzz_until(&in, '\n');
	enum outcome want = OUT_NO_HEADER, out;
	size_t len, which = SECRETS;
	char *text = expand(header, in, &len), *exact;

	exact = malloc(len);
	memcpy(exact, text, len);
	free(text);
	if (len > 0 && !o.no_header)
		want = expected((struct fuzz_input){ exact, len }, in, &o);
	out = signature_check(o.no_header ? NULL : exact, len,
	    in.len > 0 ? in.p : NULL, in.len, &all, o.now, o.tolerance,
	    &which);
	if (out != want)
		fprintf(stderr, "%s, not %s: %.*s\n", outcome_table[out].code,
		    outcome_table[want].code, (int)len, exact);
	MUST(out == want);
	MUST(out != OUT_OK || (which < o.nsecrets && secrets[which].len > 0));
	free(exact);
	return 0;
}
