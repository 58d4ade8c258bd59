/*
 * HMAC-SHA256 as hexadecimal text, fast for many short calls, and the times
 * that our signed texts carry.
 */
#ifndef STRIPE_HMAC_H
#define STRIPE_HMAC_H

#include <stddef.h>
#include <stdint.h>

enum {
	HMAC_HEX = 64,		/* lowercase digits of one HMAC-SHA256 */
	HMAC_TIME_DIGITS = 18	/* within int64, with room to subtract */
};

/* A piece of the text that is signed. */
struct hmac_part {
	const void *p;
	size_t len;
};

/*
 * Writes the digits and NUL of the HMAC of all n parts, one after the other.
 * Any thread may call it. Returns 0, or -1 if OpenSSL fails or the key is
 * empty.
 */
int hmac_hex(char hex[HMAC_HEX + 1], const void *key, size_t key_len,
    const struct hmac_part *parts, size_t n)
    __attribute__((warn_unused_result));

/*
 * The value of a time (unix seconds) of len characters, or -1 unless it is
 * written [1-9][0-9]{0,17}: signs, zeros in front, fractions and more digits
 * are read differently by different libraries.
 */
int64_t hmac_time(const char *s, size_t len);

#endif
