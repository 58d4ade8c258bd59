/* Reads and judges what a browser presents. */
#include "stripe/credential.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "stripe/token.h"

#define SCHEME "Bearer "
#define MARK "_secret_"

enum {
	SCHEME_LEN = sizeof(SCHEME) - 1,
	MARK_LEN = sizeof(MARK) - 1,
	SECRET_MAX = 1024
};

static const char *
bearer(const char *authorization)
{
	const char *s = authorization;

	if (s == NULL || strncasecmp(s, SCHEME, SCHEME_LEN) != 0)
		return NULL;
	s += SCHEME_LEN;
	s += strspn(s, " ");
	return *s != '\0' ? s : NULL;
}

/*
 * A client_secret is its object's id, "_secret_", and letters and digits; those
 * of Checkout Sessions are longer, and have what base64 and URLs have.
 */
static enum outcome
read_secret(struct credential *c, const char *secret, enum object_kind kind,
    const char *id)
{
	const char *mark = strstr(secret, MARK);
	size_t len = strlen(secret), owner_len, rest;
	enum object_kind owner_kind;

	if (mark == NULL || len > SECRET_MAX)
		return OUT_BAD_CREDENTIAL;
	owner_len = (size_t)(mark - secret);
	rest = strspn(mark + MARK_LEN, "0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-.~%+/=");
	if (rest == 0 || owner_len + MARK_LEN + rest != len ||
	    !state_kind(secret, owner_len, &owner_kind) ||
	    !state_kinds[owner_kind].has_secret)
		return OUT_BAD_CREDENTIAL;
	snprintf(c->owner, sizeof(c->owner), "%.*s", (int)owner_len, secret);
	if (state_kinds[kind].has_secret ? strcmp(c->owner, id) != 0 :
	    owner_kind != KIND_PAYMENT_INTENT)
		return OUT_WRONG_ID;
	SHA256((const unsigned char *)secret, len, c->sha256);
	return OUT_OK;
}

enum outcome
credential_read(struct credential *c, const char *authorization,
    enum object_kind kind, const char *id, int64_t now,
    const struct strings *status_keys)
{
	const char *text = bearer(authorization);
	enum outcome out;

	memset(c, 0, sizeof(*c));
	if (text == NULL)
		return OUT_NO_CREDENTIAL;
	out = token_check(text, id, now, status_keys);
	if (out == OUT_BAD_CREDENTIAL)
		return read_secret(c, text, kind, id);
	c->is_token = out == OUT_OK;
	return out;
}

bool
credential_opens(const struct credential *c,
    const unsigned char *secret_sha256)
{
	static const unsigned char none[SHA256_DIGEST_LENGTH];
	bool same = CRYPTO_memcmp(c->sha256, secret_sha256 != NULL ?
	    secret_sha256 : none, SHA256_DIGEST_LENGTH) == 0;

	return c->is_token || (secret_sha256 != NULL && same);
}
