/* Tests of Stripe-Signature: the vectors, and what they leave out. */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <openssl/evp.h>

#include "base/outcome.h"
#include "stripe/signature.h"
#include "suite.h"

static const char secret_text[] = "whsec_test_secret";
static const char body[] =
    "{\n  \"id\": \"evt_1\",\n  \"object\": \"event\"\n}";
static const int64_t now = 1700000000;

static struct json_object *vectors;

static const char *
get(struct json_object *v, const char *key)
{
	struct json_object *s = json_object_object_get(v, key);

	return s != NULL ? json_object_get_string(s) : "";
}

static int64_t
get_int(struct json_object *v, const char *key)
{
	return json_object_get_int64(json_object_object_get(v, key));
}

/* The bytes of a Base64 text, to be freed. */
static unsigned char *
decode(const char *b64, size_t *len)
{
	size_t n = strlen(b64);
	unsigned char *out = malloc(n + 1);
	int got = EVP_DecodeBlock(out, (const unsigned char *)b64, (int)n);

	ck_assert_int_ge(got, 0);
	*len = (size_t)got;
	for (; n > 0 && b64[n - 1] == '='; n--)
		(*len)--;
	return out;
}

static enum outcome
check(const char *header, const char *secret, int64_t tolerance)
{
	char text[128];
	struct signing_secret one = { .text = text };
	struct signing_secrets all = { &one, 1 };

	snprintf(text, sizeof(text), "%s", secret);
	one.len = strlen(text);
	return signature_check(header, strlen(header), body, strlen(body),
	    &all, now, tolerance, NULL);
}

static void
sign(char hex[SIGNATURE_HEX + 1], int64_t t, const char *secret)
{
	ck_assert_int_eq(signature_make(hex, t, body, strlen(body), secret,
	    strlen(secret)), 0);
}

START_TEST(vector)
{
	struct json_object *v =
	    json_object_array_get_idx(vectors, (size_t)_i);
	struct json_object *h = json_object_object_get(v, "header");
	struct json_object *s = json_object_object_get(v, "secret");
	struct signing_secret one = { .mode = LIVEMODE_ANY };
	struct signing_secrets all = { &one, 1 };
	const char *expect = get(v, "expect"), *code = get(v, "code");
	size_t len;
	unsigned char *payload = decode(get(v, "payload_b64"), &len);
	enum outcome out;

	one.len = (size_t)json_object_get_string_len(s);
	one.text = malloc(one.len + 1);
	memcpy(one.text, json_object_get_string(s), one.len + 1);
	out = signature_check(json_object_get_string(h),
	    (size_t)json_object_get_string_len(h), (char *)payload, len, &all,
	    get_int(v, "now"), get_int(v, "tolerance"), NULL);
	if (strcmp(expect, "accept") == 0)
		ck_assert_msg(out == OUT_OK, "%s: %s", get(v, "id"),
		    outcome_table[out].code);
	else
		ck_assert_msg(strcmp(outcome_table[out].code, code) == 0,
		    "%s: %s", get(v, "id"), outcome_table[out].code);
	free(one.text);
	free(payload);
}
END_TEST

/* %s is the right signature at now. */
static const struct form {
	const char *header;
	enum outcome out;
} forms[] = {
	{ "t=1700000000,v1=%s", OUT_OK },
	{ "t=1700000000 ,\tv1=%s", OUT_OK },
	{ "v1=%s,v1=,t=1700000000", OUT_OK },
	{ ",,t=1700000000,,v1=%s,,", OUT_OK },
	{ "t=1700000000,=,v1=%s,x=y=z", OUT_OK },
	{ "t=1700000000,v1=%s=", OUT_MISMATCH },
	{ "t=1700000000,v1= %s", OUT_MISMATCH },
	{ "t=1700000000,v1=%s0", OUT_MISMATCH },
	{ "t=1700000000,v1=0%s", OUT_MISMATCH },
	{ "t=1700000001,v1=%s", OUT_MISMATCH },
	{ "t=1700000000,v10=%s", OUT_NO_SIGNATURE },
	{ "t=1700000000,v2=%s", OUT_NO_SIGNATURE },
	{ "t=1700000000,v1 =%s", OUT_NO_SIGNATURE },
	{ "t=1700000000;v1=%s", OUT_BAD_HEADER },
	{ "t=1700000000,t=1700000000,v1=%s", OUT_BAD_HEADER },
	{ "t=1700000000,t=,v1=%s", OUT_BAD_HEADER },
	{ "t= 1700000000,v1=%s", OUT_BAD_HEADER },
	{ "t =1700000000,v1=%s", OUT_BAD_HEADER },
	{ "T=1700000000,v1=%s", OUT_BAD_HEADER },
	{ "t=1700000000=1,v1=%s", OUT_BAD_HEADER },
	{ "t=01700000000,v1=%s", OUT_BAD_HEADER },
	{ "t=1700000000.0,v1=%s", OUT_BAD_HEADER },
	{ "t=1_700_000_000,v1=%s", OUT_BAD_HEADER },
	{ "t=0x6553f100,v1=%s", OUT_BAD_HEADER },
	{ "t=0,v1=%s", OUT_BAD_HEADER },
	{ "t=1234567890123456789,v1=%s", OUT_BAD_HEADER },
	{ "t=123456789012345678,v1=%s", OUT_MISMATCH },
	{ "v1=%s", OUT_BAD_HEADER },
	{ " ", OUT_BAD_HEADER },
	{ "=", OUT_BAD_HEADER },
	{ "t", OUT_BAD_HEADER },
	{ "", OUT_NO_HEADER },
};

START_TEST(form)
{
	const struct form *f = &forms[_i];
	char hex[SIGNATURE_HEX + 1], header[256];

	sign(hex, now, secret_text);
	snprintf(header, sizeof(header), f->header, hex);
	ck_assert_msg(check(header, secret_text, 300) == f->out, "%s",
	    f->header);
}
END_TEST

static const struct age {
	int64_t t, tolerance;
	enum outcome out;
} ages[] = {
	{ 1700000000 - 300, 300, OUT_OK },
	{ 1700000000 - 301, 300, OUT_TOO_OLD },
	{ 1700000000 + 300, 300, OUT_OK },
	{ 1700000000 + 301, 300, OUT_TOO_NEW },
	{ 1, 0, OUT_OK },
	{ 999999999999999999, 0, OUT_OK },
	{ 999999999999999999, 300, OUT_TOO_NEW },
	{ 1, 300, OUT_TOO_OLD },
};

START_TEST(age)
{
	const struct age *a = &ages[_i];
	char hex[SIGNATURE_HEX + 1], header[256];

	sign(hex, a->t, secret_text);
	snprintf(header, sizeof(header), "t=%lld,v1=%s", (long long)a->t, hex);
	ck_assert_int_eq(check(header, secret_text, a->tolerance), a->out);
	/* A wrong signature is told first. */
	header[strlen(header) - 1] ^= 1;
	ck_assert_int_eq(check(header, secret_text, a->tolerance),
	    OUT_MISMATCH);
}
END_TEST

START_TEST(which_secret)
{
	char texts[3][32] = { "whsec_one", "whsec_two", "whsec_three" };
	struct signing_secret list[3];
	const struct signing_secrets all = { list, 3 };
	char hex[SIGNATURE_HEX + 1], header[256];
	size_t which = 99;

	for (size_t i = 0; i < 3; i++)
		list[i] = (struct signing_secret){ texts[i], strlen(texts[i]),
		    LIVEMODE_ANY };
	for (size_t i = 0; i < 3; i++) {
		sign(hex, now, texts[i]);
		snprintf(header, sizeof(header), "t=%lld,v1=%s",
		    (long long)now, hex);
		ck_assert_int_eq(signature_check(header, strlen(header), body,
		    strlen(body), &all, now, 300, &which), OUT_OK);
		ck_assert_uint_eq(which, i);
	}
}
END_TEST

START_TEST(no_secret_accepts_nothing)
{
	/* HMAC-SHA256 of "1700000000." and body under the empty key. */
	static const char header[] = "t=1700000000,v1="
	    "1f80cb569bcceb47cc90c25e339dad82b6b434c2618bc64d51275bdb49f64767";
	const struct signing_secrets none = { NULL, 0 };
	char hex[SIGNATURE_HEX + 1];

	ck_assert_int_eq(check(header, "", 300), OUT_MISMATCH);
	ck_assert_int_eq(signature_check(header, strlen(header), body,
	    strlen(body), &none, now, 300, NULL), OUT_MISMATCH);
	ck_assert_int_eq(signature_make(hex, now, body, strlen(body), "", 0),
	    -1);
}
END_TEST

START_TEST(nul_bytes)
{
	char hex[SIGNATURE_HEX + 1], header[256];
	struct signing_secret one = { (char *)(size_t)secret_text,
	    strlen(secret_text), LIVEMODE_ANY };
	const struct signing_secrets all = { &one, 1 };
	static const char nul_body[] = "a\0b";
	int n;

	/* What comes after a NUL counts, in the header and in the body. */
	ck_assert_int_eq(signature_make(hex, now, nul_body, 3, secret_text,
	    strlen(secret_text)), 0);
	n = snprintf(header, sizeof(header), "x=%c,t=%lld,v1=%s", 0,
	    (long long)now, hex);
	ck_assert_int_eq(signature_check(header, (size_t)n, nul_body, 3, &all,
	    now, 300, NULL), OUT_OK);
	ck_assert_int_eq(signature_check(header, (size_t)n, nul_body, 1, &all,
	    now, 300, NULL), OUT_MISMATCH);
	header[n] = '\0';
	ck_assert_int_eq(signature_check(header, (size_t)n + 1, nul_body, 3,
	    &all, now, 300, NULL), OUT_MISMATCH);
	ck_assert_int_eq(signature_check(NULL, 0, nul_body, 3, &all, now, 300,
	    NULL), OUT_NO_HEADER);
	ck_assert_int_eq(signature_check(header, (size_t)n, NULL, 0, &all, now,
	    300, NULL), OUT_NO_PAYLOAD);
}
END_TEST

/* The position of the right one among many. */
START_TEST(many_values)
{
	static char header[8192];
	char hex[SIGNATURE_HEX + 1];
	char *p = header;

	sign(hex, now, secret_text);
	p += sprintf(p, "t=%lld", (long long)now);
	for (int i = 0; i <= 100; i++)
		p += sprintf(p, ",v1=%.63s%c", hex,
		    i == _i ? hex[63] : hex[63] == '0' ? '1' : '0');
	ck_assert_int_eq(check(header, secret_text, 300),
	    _i < 64 ? OUT_OK : OUT_MISMATCH);
}
END_TEST

static void *
check_often(void *arg)
{
	char secret[32], hex[SIGNATURE_HEX + 1], header[256];
	size_t bad = 0;

	snprintf(secret, sizeof(secret), "whsec_%zu", (size_t)arg);
	sign(hex, now, secret);
	snprintf(header, sizeof(header), "t=%lld,v1=%s", (long long)now, hex);
	for (int i = 0; i < 2000; i++)
		bad += check(header, secret, 300) != OUT_OK;
	/* Not NULL: this is how many went wrong. */
	return (void *)bad;
}

START_TEST(threads)
{
	pthread_t t[4];
	void *bad;

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, check_often,
		    (void *)i), 0);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(t[i], &bad), 0);
		ck_assert_ptr_null(bad);
	}
}
END_TEST

int
main(void)
{
	const char *srcdir = getenv("srcdir");
	char path[PATH_MAX];
	struct json_object *doc;
	Suite *s = suite_create("signature");
	TCase *tc = tcase_create("all");
	int status;

	snprintf(path, sizeof(path), "%s/tests/signature-vectors.json",
	    srcdir != NULL ? srcdir : ".");
	if ((doc = json_object_from_file(path)) == NULL) {
		fprintf(stderr, "%s: %s\n", path, json_util_get_last_err());
		return EXIT_FAILURE;
	}
	vectors = json_object_object_get(doc, "vectors");
	tcase_add_loop_test(tc, vector, 0,
	    (int)json_object_array_length(vectors));
	tcase_add_loop_test(tc, form, 0,
	    (int)(sizeof(forms) / sizeof(forms[0])));
	tcase_add_loop_test(tc, age, 0, (int)(sizeof(ages) / sizeof(ages[0])));
	tcase_add_test(tc, which_secret);
	tcase_add_test(tc, no_secret_accepts_nothing);
	tcase_add_test(tc, nul_bytes);
	tcase_add_loop_test(tc, many_values, 60, 68);
	tcase_add_test(tc, threads);
	suite_add_tcase(s, tc);
	status = suite_run(s);
	json_object_put(doc);
	return status;
}
