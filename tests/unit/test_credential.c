/* What a browser presents: whose it is, and what it opens. */
#include <stdio.h>
#include <string.h>

#include "stripe/credential.h"
#include "stripe/token.h"
#include "suite.h"

#define N(array) (int)(sizeof(array) / sizeof((array)[0]))
#define KEY "a-status-key-of-32-characters-or-so"
#define PI "pi_3NDC70B7WZ01zgkW"
#define IN "in_1NDC70B7WZ01zgkW"
#define CS "cs_test_a1NDC70B7WZ"

enum { NOW = 1700000000 };

static char *keys_list[] = { (char *)"an-older-key-of-32-characters-or-so",
	(char *)KEY };
static const struct strings keys = { keys_list, 2 };

static const struct {
	const char *id, *header;
	enum outcome out;
	const char *owner;
} cases[] = {
	{ PI, "Bearer " PI "_secret_abcXYZ019", OUT_OK, PI },
	{ PI, "bearer   " PI "_secret_a", OUT_OK, PI },
	{ CS, "Bearer " CS "_secret_fid_-.~%2B+/=", OUT_OK, CS },
	{ "seti_1", "Bearer seti_1_secret_a", OUT_OK, "seti_1" },
	/* A payment's opens what may be linked to it, nothing else does. */
	{ IN, "Bearer " PI "_secret_a", OUT_OK, PI },
	{ "sub_1", "Bearer " PI "_secret_a", OUT_OK, PI },
	{ IN, "Bearer seti_1_secret_a", OUT_WRONG_ID, "seti_1" },
	{ IN, "Bearer " CS "_secret_a", OUT_WRONG_ID, CS },
	{ CS, "Bearer " PI "_secret_a", OUT_WRONG_ID, PI },
	{ PI, "Bearer " CS "_secret_a", OUT_WRONG_ID, CS },
	/* Another's, be it longer, shorter or of other case. */
	{ PI, "Bearer " PI "x_secret_a", OUT_WRONG_ID, PI "x" },
	{ PI "x", "Bearer " PI "_secret_a", OUT_WRONG_ID, PI },
	{ "pi_abc", "Bearer pi_ABC_secret_a", OUT_WRONG_ID, "pi_ABC" },
	/* None. */
	{ PI, NULL, OUT_NO_CREDENTIAL, "" },
	{ PI, "", OUT_NO_CREDENTIAL, "" },
	{ PI, "Bearer", OUT_NO_CREDENTIAL, "" },
	{ PI, "Bearer   ", OUT_NO_CREDENTIAL, "" },
	{ PI, "Basic " PI "_secret_a", OUT_NO_CREDENTIAL, "" },
	/* Neither a secret nor a token. */
	{ PI, "Bearer nonsense", OUT_BAD_CREDENTIAL, "" },
	{ PI, "Bearer " PI, OUT_BAD_CREDENTIAL, "" },
	{ PI, "Bearer " PI "_secret_", OUT_BAD_CREDENTIAL, "" },
	{ PI, "Bearer " PI "_secret_a'", OUT_BAD_CREDENTIAL, "" },
	{ PI, "Bearer " PI "_secret_a b", OUT_BAD_CREDENTIAL, "" },
	{ PI, "Bearer " PI "'_secret_a", OUT_BAD_CREDENTIAL, "" },
	{ PI, "Bearer " PI "_SECRET_a", OUT_BAD_CREDENTIAL, "" },
	{ PI, "Bearer _secret_a", OUT_BAD_CREDENTIAL, "" },
	{ PI, "Bearer pi__secret_a", OUT_BAD_CREDENTIAL, "" },
	{ IN, "Bearer " IN "_secret_a", OUT_BAD_CREDENTIAL, "" },
	{ PI, "Bearer ch_1_secret_a", OUT_BAD_CREDENTIAL, "" },
	{ PI, "Bearer sht1.1700000001.0", OUT_BAD_CREDENTIAL, "" },
};

static enum object_kind
kind_of(const char *id)
{
	enum object_kind kind = KIND__MAX;

	ck_assert(state_kind(id, strlen(id), &kind));
	return kind;
}

START_TEST(read_header)
{
	struct credential c;
	enum outcome out = credential_read(&c, cases[_i].header,
	    kind_of(cases[_i].id), cases[_i].id, NOW, &keys);

	ck_assert_msg(out == cases[_i].out, "%s for %s: %s",
	    cases[_i].header, cases[_i].id, outcome_table[out].code);
	ck_assert_str_eq(c.owner, cases[_i].owner);
	ck_assert(!c.is_token);
}
END_TEST

START_TEST(too_long)
{
	char header[2048];
	struct credential c;

	memset(header, 'a', sizeof(header));
	memcpy(header, "Bearer " PI "_secret_", sizeof("Bearer " PI
	    "_secret_") - 1);
	header[sizeof(header) - 1] = '\0';
	ck_assert_int_eq(credential_read(&c, header, KIND_PAYMENT_INTENT, PI,
	    NOW, &keys), OUT_BAD_CREDENTIAL);
	header[600] = '\0';
	ck_assert_int_eq(credential_read(&c, header, KIND_PAYMENT_INTENT, PI,
	    NOW, &keys), OUT_OK);
}
END_TEST

START_TEST(tokens)
{
	char token[TOKEN_MAX], header[TOKEN_MAX + 8];
	struct credential c;

	ck_assert_int_eq(token_make(token, IN, NOW + 1, KEY), 0);
	snprintf(header, sizeof(header), "Bearer %s", token);
	ck_assert_int_eq(credential_read(&c, header, KIND_INVOICE, IN, NOW,
	    &keys), OUT_OK);
	ck_assert(c.is_token);
	ck_assert(credential_opens(&c, NULL));
	ck_assert_int_eq(credential_read(&c, header, KIND_INVOICE, IN, NOW + 1,
	    &keys), OUT_EXPIRED_TOKEN);
	ck_assert(!c.is_token);
	ck_assert_int_eq(credential_read(&c, header, KIND_INVOICE, IN "x",
	    NOW, &keys), OUT_FORGED_TOKEN);
	ck_assert(!c.is_token);
	ck_assert(!credential_opens(&c, NULL));
}
END_TEST

START_TEST(opens)
{
	unsigned char hash[SHA256_DIGEST_LENGTH] = { 0 };
	const char *secret = PI "_secret_abc";
	struct credential c;

	ck_assert_int_eq(credential_read(&c, "Bearer " PI "_secret_abc",
	    KIND_PAYMENT_INTENT, PI, NOW, &keys), OUT_OK);
	ck_assert(!credential_opens(&c, hash));
	ck_assert(!credential_opens(&c, NULL));
	SHA256((const unsigned char *)secret, strlen(secret), hash);
	ck_assert(credential_opens(&c, hash));
	hash[SHA256_DIGEST_LENGTH - 1] ^= 1;
	ck_assert(!credential_opens(&c, hash));
	/* An object without a secret isn't opened by a hash of zeros. */
	memset(&c, 0, sizeof(c));
	ck_assert(!credential_opens(&c, NULL));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("credential");
	TCase *t = tcase_create("credential");

	tcase_add_loop_test(t, read_header, 0, N(cases));
	tcase_add_test(t, too_long);
	tcase_add_test(t, tokens);
	tcase_add_test(t, opens);
	suite_add_tcase(s, t);
	return suite_run(s);
}
