/* One object's state, as the status route and stripehookctl need it. */
#ifndef STORE_LOOKUP_H
#define STORE_LOOKUP_H

#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "stripe/state.h"

enum { SHA256_BYTES = 32 };

struct lookup {
	bool found;
	char status[64];
	bool has_amount;
	int64_t amount;			/* minor units */
	char currency[16];
	char error_code[128], decline_code[128], error_message[512];
	char latest_charge[256];
	char extra_name[32], extra[1024];	/* a further field, by kind */
	int64_t updated;		/* unix seconds, Stripe's clock; 0 */
	bool has_secret;
	unsigned char secret_sha256[SHA256_BYTES];
};

/*
 * Looks id, of this kind, up. secret_id is the id that a presented
 * client_secret belongs to ("" if none): the hash then is that object's, if
 * it is id itself or, for an invoice or subscription, a PaymentIntent linked
 * to it. Both ids must have passed state_kind().
 * Returns OUT_OK (found or not), OUT_DB_DOWN, OUT_DB_BUSY or OUT_DB_SYSTEM.
 */
enum outcome lookup_object(struct lookup *l, MYSQL *mysql,
    enum object_kind kind, const char *id, const char *secret_id)
    __attribute__((warn_unused_result));

/*
 * What the status route answers, as JSON text that the caller frees; what
 * isn't found is "pending". *final says whether nothing more will come.
 */
char *lookup_json(const struct lookup *l, enum object_kind kind,
    const char *id, bool *final) __attribute__((warn_unused_result));

#endif
