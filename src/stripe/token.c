/* Makes and checks status tokens; their form stands in the header. */
#include "stripe/token.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "stripe/hmac.h"

#define PREFIX "sht1."

enum { PREFIX_LEN = sizeof(PREFIX) - 1 };

_Static_assert(PREFIX_LEN + HMAC_TIME_DIGITS + 1 + HMAC_HEX < TOKEN_MAX,
    "a token fits");

static int
sign(char hex[HMAC_HEX + 1], const char *id, const char *expiry,
    size_t expiry_len, const char *key)
{
	const struct hmac_part parts[] = {
		{ PREFIX, PREFIX_LEN }, { id, strlen(id) }, { ".", 1 },
		{ expiry, expiry_len },
	};

	return hmac_hex(hex, key, strlen(key), parts,
	    sizeof(parts) / sizeof(parts[0]));
}

int
token_make(char token[TOKEN_MAX], const char *id, int64_t expiry,
    const char *key)
{
	char digits[32], hex[HMAC_HEX + 1];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)expiry);

	if (len < 1 || hmac_time(digits, (size_t)len) == -1 ||
	    sign(hex, id, digits, (size_t)len, key) == -1)
		return -1;
	snprintf(token, TOKEN_MAX, PREFIX "%.*s.%s", HMAC_TIME_DIGITS, digits,
	    hex);
	return 0;
}

enum outcome
token_check(const char *token, const char *id, int64_t now,
    const struct strings *keys)
{
	const char *expiry, *dot;
	char hex[HMAC_HEX + 1];
	size_t len;
	int64_t t;
	unsigned same = 0;

	if (strncmp(token, PREFIX, PREFIX_LEN) != 0)
		return OUT_BAD_CREDENTIAL;
	expiry = token + PREFIX_LEN;
	if ((dot = strchr(expiry, '.')) == NULL)
		return OUT_BAD_CREDENTIAL;
	len = (size_t)(dot - expiry);
	if ((t = hmac_time(expiry, len)) == -1 ||
	    strlen(dot + 1) != HMAC_HEX ||
	    strspn(dot + 1, "0123456789abcdef") != HMAC_HEX)
		return OUT_BAD_CREDENTIAL;
	for (size_t i = 0; i < keys->n; i++)
		if (sign(hex, id, expiry, len, keys->s[i]) == 0)
			same |= CRYPTO_memcmp(dot + 1, hex, HMAC_HEX) == 0;
	OPENSSL_cleanse(hex, sizeof(hex));
	if (!same)
		return OUT_FORGED_TOKEN;
	return now < t ? OUT_OK : OUT_EXPIRED_TOKEN;
}
