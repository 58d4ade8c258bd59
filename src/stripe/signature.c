/* Checks Stripe-Signature headers: nothing else of a request is trusted. */
#include "stripe/signature.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "stripe/hmac.h"

_Static_assert((int)SIGNATURE_HEX == (int)HMAC_HEX, "v1 is an HMAC-SHA256");

/*
 * A header has one v1 per active secret, two while one is rolled; those beyond
 * this many are not looked at.
 */
enum { V1_MAX = 64 };

struct header {
	const char *t;		/* raw digits: they are what was signed */
	size_t t_len;
	unsigned nt;		/* items "t=" seen */
	const char *v1[V1_MAX];	/* values of the right length */
	size_t nv1;
	bool has_v1;		/* any value, of any length */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes one "key=value"; keys that aren't ours are nothing to us. */
static void
take_item(struct header *h, const char *item, size_t len)
{
	if (len >= 2 && memcmp(item, "t=", 2) == 0) {
		h->t = item + 2;
		h->t_len = len - 2;
		h->nt++;
	} else if (len >= 3 && memcmp(item, "v1=", 3) == 0) {
		h->has_v1 = true;
		if (len - 3 == SIGNATURE_HEX && h->nv1 < V1_MAX)
			h->v1[h->nv1++] = item + 3;
	}
}

/*
 * Splits at commas. Items without '=' are ignored, as most of Stripe's own
 * libraries do.
 */
static void
split(struct header *h, const char *text, size_t len)
{
	const char *p = text, *end = text + len, *comma, *a, *b;

	for (; p < end; p = comma + 1) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		a = p;
		while (a < comma && is_blank(*a))
			a++;
		b = comma;
		while (b > a && is_blank(b[-1]))
			b--;
		take_item(h, a, (size_t)(b - a));
		if (comma == end)
			return;
	}
}

/*
 * Compares every v1 with every secret's HMAC: the time taken tells neither
 * which one matched nor how far another did. OUT_NOT_READY: OpenSSL failed.
 */
static enum outcome
compare(const struct header *h, const char *body, size_t body_len,
    const struct signing_secrets *secrets, size_t *which)
{
	const struct hmac_part parts[] = {
		{ h->t, h->t_len }, { ".", 1 }, { body, body_len },
	};
	char hex[HMAC_HEX + 1];
	enum outcome out = OUT_MISMATCH;

	for (size_t i = secrets->n; i-- > 0;) {
		const struct signing_secret *s = &secrets->list[i];
		unsigned same = 0;

		/* Anybody can sign with the empty secret. */
		if (s->len == 0)
			continue;
		if (hmac_hex(hex, s->text, s->len, parts, 3) == -1)
			return OUT_NOT_READY;
		for (size_t k = 0; k < h->nv1; k++)
			same |= CRYPTO_memcmp(h->v1[k], hex, HMAC_HEX) == 0;
		if (same) {
			out = OUT_OK;
			if (which != NULL)
				*which = i;
		}
	}
	OPENSSL_cleanse(hex, sizeof(hex));
	return out;
}

enum outcome
signature_check(const char *header, size_t header_len, const char *body,
    size_t body_len, const struct signing_secrets *secrets, int64_t now,
    int64_t tolerance, size_t *which)
{
	struct header h;
	enum outcome out;
	int64_t t;

	if (header == NULL || header_len == 0)
		return OUT_NO_HEADER;
	h.t = NULL;
	h.t_len = h.nv1 = 0;
	h.nt = 0;
	h.has_v1 = false;
	split(&h, header, header_len);
	if (h.nt != 1 || (t = hmac_time(h.t, h.t_len)) == -1)
		return OUT_BAD_HEADER;
	if (!h.has_v1)
		return OUT_NO_SIGNATURE;
	if (body == NULL || body_len == 0)
		return OUT_NO_PAYLOAD;
	/* The clock last: of what isn't signed nothing is told. */
	out = compare(&h, body, body_len, secrets, which);
	if (out != OUT_OK || tolerance == 0)
		return out;
	if (t < now - tolerance)
		return OUT_TOO_OLD;
	if (t > now + tolerance)
		return OUT_TOO_NEW;
	return OUT_OK;
}

int
signature_make(char hex[SIGNATURE_HEX + 1], int64_t t, const char *body,
    size_t body_len, const char *secret, size_t secret_len)
{
	char head[HMAC_TIME_DIGITS + 4];
	int n = snprintf(head, sizeof(head), "%lld.", (long long)t);
	const struct hmac_part parts[] = {
		{ head, (size_t)n }, { body, body_len },
	};

	if (n < 0 || (size_t)n >= sizeof(head))
		return -1;
	return hmac_hex(hex, secret, secret_len, parts, 2);
}

uint64_t
signature_digest(const struct signing_secret *secret)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	uint64_t digest;

	SHA256((const unsigned char *)secret->text, secret->len, hash);
	memcpy(&digest, hash, sizeof(digest));
	return digest != 0 ? digest : 1;
}
