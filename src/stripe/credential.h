/*
 * What a browser presents to ask for an object's state: a client_secret or a
 * status token, checked as far as the database isn't needed.
 */
#ifndef STRIPE_CREDENTIAL_H
#define STRIPE_CREDENTIAL_H

#include <openssl/sha.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/outcome.h"
#include "stripe/state.h"

struct credential {
	bool is_token;			/* valid, and made for the id */
	char owner[256];		/* a client_secret's object, else "" */
	unsigned char sha256[SHA256_DIGEST_LENGTH];	/* of the secret */
};

/*
 * Reads the value of an Authorization header (NULL: there is none) for object
 * id. now in unix seconds. A client_secret opens its own object; a
 * PaymentIntent's also an invoice or a subscription, if the database says that
 * they belong together. Returns OUT_OK, OUT_NO_CREDENTIAL, OUT_BAD_CREDENTIAL
 * (neither), OUT_WRONG_ID (another object's), OUT_FORGED_TOKEN or
 * OUT_EXPIRED_TOKEN.
 */
enum outcome credential_read(struct credential *c, const char *authorization,
    enum object_kind kind, const char *id, int64_t now,
    const struct strings *status_keys) __attribute__((warn_unused_result));

/*
 * Whether it opens an object whose client_secret has this SHA-256 (NULL: the
 * object has none, or it isn't the one that owner names). In constant time.
 */
bool credential_opens(const struct credential *c,
    const unsigned char *secret_sha256);

#endif
