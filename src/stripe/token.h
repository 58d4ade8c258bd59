/*
 * Status tokens: what an application's back end gives a browser that may ask
 * for the state of one object for a while. Format:
 *   "sht1." EXPIRY "." HEX
 * EXPIRY is unix seconds in decimal, HEX 64 lowercase digits of
 * HMAC-SHA256(key, "sht1." ID "." EXPIRY).
 */
#ifndef STRIPE_TOKEN_H
#define STRIPE_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/outcome.h"

enum { TOKEN_MAX = 96 };	/* bytes of a token, NUL included */

/* Writes a token for id. Returns 0, or -1 if OpenSSL fails. */
int token_make(char token[TOKEN_MAX], const char *id, int64_t expiry,
    const char *key) __attribute__((warn_unused_result));

/*
 * Checks a token in constant time against every key. now in unix seconds.
 * Returns OUT_OK, OUT_BAD_CREDENTIAL (not of a token's form),
 * OUT_FORGED_TOKEN (also: made for another id) or OUT_EXPIRED_TOKEN.
 */
enum outcome token_check(const char *token, const char *id, int64_t now,
    const struct strings *keys) __attribute__((warn_unused_result));

#endif
