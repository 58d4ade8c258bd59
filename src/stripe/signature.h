/*
 * Stripe-Signature, scheme v1: HMAC-SHA256 over "t.body" with the signing
 * secret verbatim as key (docs.stripe.com/webhooks, "Verify manually").
 */
#ifndef STRIPE_SIGNATURE_H
#define STRIPE_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/outcome.h"

enum { SIGNATURE_HEX = 64 };	/* digits of one v1 value */

/*
 * Checks header against body. now and tolerance in seconds; tolerance 0 turns
 * the clock check off. Every v1 value is compared with every secret, in
 * constant time. On OUT_OK *which is the index of the secret that matched
 * (which may be NULL).
 * Returns OUT_OK, OUT_NO_HEADER (NULL or empty), OUT_BAD_HEADER,
 * OUT_NO_SIGNATURE, OUT_NO_PAYLOAD, OUT_MISMATCH, OUT_TOO_OLD, OUT_TOO_NEW;
 * or OUT_NOT_READY if OpenSSL fails.
 */
enum outcome signature_check(const char *header, size_t header_len,
    const char *body, size_t body_len, const struct signing_secrets *secrets,
    int64_t now, int64_t tolerance, size_t *which)
    __attribute__((warn_unused_result));

/*
 * Writes the 64 hex digits and NUL of the v1 signature of body at time t.
 * Returns 0, or -1 if OpenSSL fails.
 */
int signature_make(char hex[SIGNATURE_HEX + 1], int64_t t, const char *body,
    size_t body_len, const char *secret, size_t secret_len)
    __attribute__((warn_unused_result));

/*
 * A number that stands for a secret where the secret itself must not: the
 * first 8 bytes of its SHA-256. Never 0.
 */
uint64_t signature_digest(const struct signing_secret *secret);

#endif
