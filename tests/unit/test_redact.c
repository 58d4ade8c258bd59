/* Tests of blanking and masking: tables of texts before and after. */
#include <stdlib.h>
#include <string.h>

#include "stripe/redact.h"
#include "suite.h"

struct edit_case {
	const char *in;
	const char *out;	/* NULL: not JSON */
	size_t edits;
};

static const struct edit_case blank_cases[] = {
	{ "{}", "{}", 0 },
	{ "{\"email\":\"a@b.c\"}", "{\"email\":\"[redacted]\"}", 1 },
	{ " {\n  \"email\" : \"a\" ,\n \"n\": 1.50e3 }\n",
	    " {\n  \"email\" : \"[redacted]\" ,\n \"n\": 1.50e3 }\n", 1 },
	{ "{\"email\":\"[redacted]\"}", "{\"email\":\"[redacted]\"}", 0 },
	{ "{\"email\":null,\"name\":true}", "{\"email\":null,\"name\":true}",
	    0 },
	{ "{\"phone\":12}", "{\"phone\":null}", 1 },
	{ "{\"name\":[\"a\",\"b\"]}", "{\"name\":[]}", 1 },
	{ "{\"address\":{\"name\":\"x\",\"y\":\"}\"},\"z\":[1,2]}",
	    "{\"address\":{},\"z\":[1,2]}", 1 },
	{ "[{\"a\":{\"shipping\":{\"b\":\"\\\"}\"}}},\"email\"]",
	    "[{\"a\":{\"shipping\":{}}},\"email\"]", 1 },
	{ "{\"emails\":\"a\",\"my_email\":\"b\"}",
	    "{\"emails\":\"a\",\"my_email\":\"b\"}", 0 },
	{ "{\"e\\u006dail\":\"a\\\\\"}", "{\"e\\u006dail\":\"[redacted]\"}",
	    1 },
	{ "{\"email\":\"\xc3\xa9\\u00e9\"}", "{\"email\":\"[redacted]\"}", 1 },
	{ "{\"email\":\"a\"", NULL, 0 },
	{ "{\"email\":\"a", NULL, 0 },
	{ "{\"email\":\"a\\", NULL, 0 },
	{ "{\"email\":\"a\"}}", NULL, 0 },
	{ "{\"email\"}", NULL, 0 },
	{ "{\"email\":}", NULL, 0 },
	{ "", NULL, 0 },
};

static const struct edit_case pointer_cases[] = {
	{ "{\"data\":{\"object\":{\"note\":\"a\",\"x\":\"b\"},\"note\":\"c\"}}",
	    "{\"data\":{\"object\":{\"note\":\"[redacted]\",\"x\":\"b\"},"
	    "\"note\":\"c\"}}", 1 },
	{ "{\"l\":[{\"v\":1},{\"v\":2}]}", "{\"l\":[{\"v\":1},{\"v\":null}]}",
	    1 },
	{ "{\"a/b\":{\"c~d\":\"x\"}}", "{\"a/b\":{\"c~d\":\"[redacted]\"}}",
	    1 },
	/* The same name, whichever way it is written. */
	{ "{\"pr\xc3\xa9nom\":\"x\"}", "{\"pr\xc3\xa9nom\":\"[redacted]\"}",
	    1 },
	{ "{\"pr\\u00e9nom\":\"x\"}", "{\"pr\\u00e9nom\":\"[redacted]\"}",
	    1 },
	{ "{\"\\u20ac\\ud83d\\uDE00\":1}", "{\"\\u20ac\\ud83d\\uDE00\":null}",
	    1 },
	/* Half a pair, no pair, no digits: other names, and no end too far. */
	{ "{\"\\u20ac\\ud83d\":1}", "{\"\\u20ac\\ud83d\":1}", 0 },
	{ "{\"\\ud83d\\u0041\":1}", "{\"\\ud83d\\u0041\":1}", 0 },
	{ "{\"\\u20\":1,\"\\ud83d\\u\":1}",
	    "{\"\\u20\":1,\"\\ud83d\\u\":1}", 0 },
};
static const char *const pointers[] = { "/data/object/note", "/l/1/v",
    "/a~1b/c~0d", "/pr\xc3\xa9nom", "/\xe2\x82\xac\xf0\x9f\x98\x80", NULL };

static const struct edit_case mask_cases[] = {
	{ "{\"client_secret\":\"pi_1_secret_abc\"}",
	    "{\"client_secret\":\"pi_1_secret_********\"}", 1 },
	{ "{\"a\":[{\"client_secret\":\"seti_1_secret_q\",\"b\":1}]}",
	    "{\"a\":[{\"client_secret\":\"seti_1_secret_********\","
	    "\"b\":1}]}", 1 },
	{ "{\"client_secret\":\"else\"}", "{\"client_secret\":\"********\"}",
	    1 },
	{ "{\"client_secret\":{\"x\":\"y\"}}",
	    "{\"client_secret\":\"********\"}", 1 },
	{ "{\"client_secret\":null}", "{\"client_secret\":null}", 0 },
	{ "{\"client_secret\":\"[redacted]\"}",
	    "{\"client_secret\":\"[redacted]\"}", 0 },
	{ "{\"client\\u005fsecret\":\"pi_1_secret_abc\"}",
	    "{\"client\\u005fsecret\":\"pi_1_secret_********\"}", 1 },
	{ "{\"x\":\"pi_1_secret_abc\"}", "{\"x\":\"pi_1_secret_abc\"}", 0 },
};

static const struct edit_case forget_cases[] = {
	{ "{\"email\":\"[redacted]\",\"x\":[\"[redacted]\"]}",
	    "{\"email\":null,\"x\":[null]}", 2 },
	{ "{\"email\":\"[redacted] \"}", "{\"email\":\"[redacted] \"}", 0 },
};

static void
compare(const struct edit_case *c, char *out, size_t len, size_t edits)
{
	if (c->out == NULL) {
		ck_assert_msg(out == NULL, "%s: taken for JSON", c->in);
		return;
	}
	ck_assert_msg(out != NULL, "%s: not taken", c->in);
	ck_assert_str_eq(out, c->out);
	ck_assert_uint_eq(len, strlen(c->out));
	ck_assert_uint_eq(edits, c->edits);
	free(out);
}

START_TEST(blank)
{
	const struct edit_case *c = &blank_cases[_i];
	size_t len, edits;
	char *out = redact_text(c->in, strlen(c->in), redact_defaults, &len,
	    &edits);

	compare(c, out, len, edits);
}
END_TEST

START_TEST(blank_pointer)
{
	const struct edit_case *c = &pointer_cases[_i];
	size_t len, edits;
	char *out = redact_text(c->in, strlen(c->in), pointers, &len, &edits);

	compare(c, out, len, edits);
}
END_TEST

START_TEST(mask)
{
	const struct edit_case *c = &mask_cases[_i];
	size_t len, edits;
	char *out = redact_mask(c->in, strlen(c->in), &len, &edits);

	compare(c, out, len, edits);
}
END_TEST

START_TEST(forget)
{
	const struct edit_case *c = &forget_cases[_i];
	size_t len, edits;
	char *out = redact_forget(c->in, strlen(c->in), &len, &edits);

	compare(c, out, len, edits);
}
END_TEST

/* What is nested deeper than an event may be is refused, not followed. */
START_TEST(too_deep)
{
	char text[2 * 5000 + 1];
	size_t len, edits;

	memset(text, '[', 5000);
	memset(text + 5000, ']', 5000);
	text[10000] = '\0';
	ck_assert_ptr_null(redact_mask(text, 10000, &len, &edits));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("redact");
	TCase *tc = tcase_create("redact");

#define LOOP(test, cases) tcase_add_loop_test(tc, test, 0, \
	(int)(sizeof(cases) / sizeof((cases)[0])))
	LOOP(blank, blank_cases);
	LOOP(blank_pointer, pointer_cases);
	LOOP(mask, mask_cases);
	LOOP(forget, forget_cases);
	tcase_add_test(tc, too_deep);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
