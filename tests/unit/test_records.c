/*
 * FastCGI records: what is a whole request and what never will be one, however
 * its bytes are cut into pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "http/records.h"
#include "suite.h"

/* Records as bytes: header of type and id 1, content of n bytes. */
#define HEAD(type, n) "\1" type "\0\1\0" n "\0\0"
#define BEGIN HEAD("\1", "\10") "\0\1\0\0\0\0\0\0"
#define NO_PARAMS HEAD("\4", "\0")
#define NO_STDIN HEAD("\5", "\0")
#define REQUEST(params) BEGIN params NO_PARAMS NO_STDIN
#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t n;
	enum records_state state;
	const char *why;	/* a part of it, if BAD */
} cases[] = {
	{ BYTES(""), RECORDS_BEGIN, NULL },
	{ BYTES("\1\1\0\1"), RECORDS_BEGIN, NULL },
	{ BYTES(BEGIN), RECORDS_PARAMS, NULL },
	{ BYTES(BEGIN NO_PARAMS), RECORDS_STDIN, NULL },
	{ BYTES(REQUEST("")), RECORDS_WHOLE, NULL },
	{ BYTES(REQUEST("") "more of it"), RECORDS_WHOLE, NULL },
	{ BYTES(REQUEST(HEAD("\4", "\4") "\1\1ab")), RECORDS_WHOLE, NULL },
	/* A name without value, and neither. */
	{ BYTES(REQUEST(HEAD("\4", "\5") "\1\0a\0\0")), RECORDS_WHOLE, NULL },
	/* A pair over two records, cut in its length of four bytes. */
	{ BYTES(REQUEST(HEAD("\4", "\3") "\1\200\0" HEAD("\4", "\5")
	    "\0\2abc")), RECORDS_WHOLE, NULL },
	/* Padding: behind content and at the end, but not in between. */
	{ BYTES(BEGIN "\1\4\0\1\0\4\4\0" "\1\1ab" "xxxx" NO_PARAMS
	    "\1\5\0\1\0\1\7\0" "b" "xxxxxxx" "\1\5\0\1\0\0\2\0" "xx"),
	    RECORDS_WHOLE, NULL },
	{ BYTES(BEGIN NO_PARAMS "\1\5\0\1\0\0\2\0" "x"), RECORDS_STDIN,
	    NULL },
	{ BYTES("\1\1\0\1\0\10\3\0" "\0\1\0\0\0\0\0\0" "xxx"), RECORDS_BAD,
	    "padding" },
	{ BYTES(BEGIN "\1\4\0\1\0\0\2\0" "xx"), RECORDS_BAD, "padding" },
	{ BYTES(BEGIN NO_PARAMS HEAD("\5", "\3") "abc"), RECORDS_STDIN, NULL },
	{ BYTES(BEGIN NO_PARAMS HEAD("\5", "\3") "abc" NO_STDIN),
	    RECORDS_WHOLE, NULL },
	/* A large id. */
	{ BYTES("\1\1\377\376\0\10\0\0" "\0\1\0\0\0\0\0\0"
	    "\1\4\377\376\0\0\0\0" "\1\5\377\376\0\0\0\0"), RECORDS_WHOLE,
	    NULL },

	{ BYTES("\2\1\0\1\0\10\0\0"), RECORDS_BAD, "not FastCGI 1" },
	{ BYTES("GET / HTTP/1.1\r\n"), RECORDS_BAD, "not FastCGI 1" },
	{ BYTES("\1\1\0\0\0\10\0\0"), RECORDS_BAD, "no id" },
	{ BYTES(HEAD("\1", "\0")), RECORDS_BAD, "unexpected length" },
	{ BYTES(HEAD("\1", "\11") "\0\1\0\0\0\0\0\0\0"), RECORDS_BAD,
	    "unexpected length" },
	/* Authorizer, filter, and a role of two bytes. */
	{ BYTES(HEAD("\1", "\10") "\0\2\0\0\0\0\0\0"), RECORDS_BAD, "role" },
	{ BYTES(HEAD("\1", "\10") "\0\3\0\0\0\0\0\0"), RECORDS_BAD, "role" },
	{ BYTES(HEAD("\1", "\10") "\1\1\0\0\0\0\0\0"), RECORDS_BAD, "role" },
	/* FCGI_GET_VALUES, an abort, a second begin, data, an unknown type. */
	{ BYTES("\1\11\0\0\0\0\0\0"), RECORDS_BAD, "unexpected type" },
	{ BYTES(BEGIN "\1\11\0\0\0\0\0\0"), RECORDS_BAD, "unexpected type" },
	{ BYTES(BEGIN HEAD("\2", "\0")), RECORDS_BAD, "unexpected type" },
	{ BYTES(BEGIN BEGIN), RECORDS_BAD, "unexpected type" },
	{ BYTES(BEGIN NO_STDIN), RECORDS_BAD, "unexpected type" },
	{ BYTES(BEGIN NO_PARAMS NO_PARAMS), RECORDS_BAD, "unexpected type" },
	{ BYTES(BEGIN NO_PARAMS HEAD("\10", "\0")), RECORDS_BAD,
	    "unexpected type" },
	{ BYTES(BEGIN HEAD("\143", "\0")), RECORDS_BAD, "unexpected type" },
	{ BYTES(BEGIN "\1\4\0\2\0\0\0\0"), RECORDS_BAD, "another request" },
	{ BYTES(BEGIN NO_PARAMS "\1\5\1\1\0\0\0\0"), RECORDS_BAD,
	    "another request" },
	/* Pairs that their stream doesn't hold. */
	{ BYTES(BEGIN HEAD("\4", "\3") "\1\1a" NO_PARAMS), RECORDS_BAD,
	    "cut off" },
	{ BYTES(BEGIN HEAD("\4", "\1") "\1" NO_PARAMS), RECORDS_BAD,
	    "cut off" },
	{ BYTES(BEGIN HEAD("\4", "\3") "\200\0\0" NO_PARAMS), RECORDS_BAD,
	    "cut off" },
	/* Lengths near and far beyond what fits. */
	{ BYTES(BEGIN HEAD("\4", "\5") "\200\0\377\376\1"), RECORDS_PARAMS,
	    NULL },
	{ BYTES(BEGIN HEAD("\4", "\5") "\200\0\377\377\1"), RECORDS_BAD,
	    "too long" },
	{ BYTES(BEGIN HEAD("\4", "\5") "\377\377\377\377\0"), RECORDS_BAD,
	    "too long" },
	{ BYTES(BEGIN HEAD("\4", "\10") "\377\377\377\376\377\377\377\376"),
	    RECORDS_BAD, "too long" },
};

/* The state after all bytes, step of them at a time. */
static struct records
eat(const char *bytes, size_t n, size_t step)
{
	struct records r = { .state = RECORDS_BEGIN };

	for (size_t i = 0; i < n; i += step)
		(void)!records_eat(&r, (const uint8_t *)bytes + i,
		    step < n - i ? step : n - i);
	return r;
}

START_TEST(any_pieces)
{
	for (size_t step = 1; step <= cases[_i].n + 1; step++) {
		struct records r = eat(cases[_i].bytes, cases[_i].n, step);

		ck_assert_int_eq(r.state, cases[_i].state);
		if (r.state == RECORDS_BAD)
			ck_assert_msg(strstr(r.why, cases[_i].why) != NULL,
			    "%s, not %s", r.why, cases[_i].why);
	}
}
END_TEST

START_TEST(counts)
{
	const char bytes[] = BEGIN HEAD("\4", "\4") "\1\1ab" NO_PARAMS
	    HEAD("\5", "\5") "hello" HEAD("\5", "\1") "!";
	struct records r = eat(bytes, sizeof(bytes) - 1, 3);

	ck_assert_uint_eq(r.params, 4);
	ck_assert_uint_eq(r.body, 6);
	ck_assert_uint_eq(r.seen, sizeof(bytes) - 1);
	ck_assert_uint_eq(r.at, sizeof(bytes) - 1 - RECORD_HEADER - 1);
}
END_TEST

/* Cut before any record of the body and ended, it is whole. */
START_TEST(cut)
{
	const char bytes[] = "\1\1\7\1\0\10\0\0" "\0\1\0\0\0\0\0\0"
	    "\1\4\7\1\0\0\0\0" "\1\5\7\1\0\3\0\0" "abc" "\1\5\7\1\0\3\0\0" "d";
	struct records r = eat(bytes, sizeof(bytes) - 1, 1), again;
	uint8_t shorter[sizeof(bytes) + RECORD_HEADER];

	memcpy(shorter, bytes, r.at);
	records_end(&r, shorter + r.at);
	again = eat((const char *)shorter, r.at + RECORD_HEADER, 1);
	ck_assert_int_eq(again.state, RECORDS_WHOLE);
	ck_assert_uint_eq(again.body, 3);
}
END_TEST

/* Small parameters add up, too. */
START_TEST(endless_params)
{
	const char pair[] = HEAD("\4", "\4") "\1\1ab";
	struct records r = eat(BYTES(BEGIN), 1);
	size_t n = 0;

	while (records_eat(&r, (const uint8_t *)pair, sizeof(pair) - 1) ==
	    RECORDS_PARAMS)
		ck_assert_uint_lt(++n, RECORDS_PARAMS_MAX);
	ck_assert_int_eq(r.state, RECORDS_BAD);
	ck_assert_uint_eq(n, RECORDS_PARAMS_MAX / 4);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("records");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, any_pieces, 0,
	    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, counts);
	tcase_add_test(tc, cut);
	tcase_add_test(tc, endless_params);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
