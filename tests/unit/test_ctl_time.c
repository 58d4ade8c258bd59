/* Tests of how times are read from a command line. */
#include <inttypes.h>

#include "ctl/ctl_time.h"
#include "suite.h"

static const int64_t now = 1772368200000000;	/* 2026-03-01 12:30:00 */

static const struct {
	const char *text;
	int64_t seconds;	/* -1: not a time */
	int64_t us;
} cases[] = {
	{ "0", 0, 0 },
	{ "1772368200", 1772368200, 0 },
	{ "253402300799", 253402300799, 0 },
	{ "253402300800", -1, 0 },
	{ "99999999999999999999", -1, 0 },
	{ "90s", 1772368110, 0 },
	{ "15m", 1772367300, 0 },
	{ "2h", 1772361000, 0 },
	{ "3d", 1772109000, 0 },
	{ "0d", 1772368200, 0 },
	{ "9999999999d", -1, 0 },
	{ "9223372036854775807d", -1, 0 },
	{ "3w", -1, 0 },
	{ "3dd", -1, 0 },
	{ "3 d", -1, 0 },
	{ "-3d", -1, 0 },
	{ " 3d", -1, 0 },
	{ "d", -1, 0 },
	{ "", -1, 0 },
	{ "2026-03-01", 1772323200, 0 },
	{ "2026-03-01T12:30", 1772368200, 0 },
	{ "2026-03-01T12:30:00", 1772368200, 0 },
	{ "2026-03-01 12:30:00Z", 1772368200, 0 },
	{ "2026-03-01T12:30:00.25Z", 1772368200, 250000 },
	{ "2026-03-01T12:30:00.123456789", 1772368200, 123456 },
	{ "2026-03-01T12:30:00.Z", -1, 0 },
	{ "2026-02-30", -1, 0 },
	{ "2026-13-01", -1, 0 },
	{ "2026-03-01T12:30:00+01:00", -1, 0 },
	{ "2026-03-01x", -1, 0 },
	{ "yesterday", -1, 0 },
};

START_TEST(parse)
{
	int64_t us = -1;
	int rc = time_parse(cases[_i].text, now, &us);

	ck_assert_msg((rc == 0) == (cases[_i].seconds >= 0), "'%s': %d",
	    cases[_i].text, rc);
	if (rc == 0)
		ck_assert_msg(us == cases[_i].seconds * 1000000 +
		    cases[_i].us, "'%s': %" PRId64, cases[_i].text, us);
}
END_TEST

START_TEST(print)
{
	char text[TIME_TEXT];
	int64_t us;

	time_print(text, now + 5);
	ck_assert_str_eq(text, "2026-03-01 12:30:00");
	time_print_iso(text, now + 5);
	ck_assert_str_eq(text, "2026-03-01T12:30:00.000005Z");
	ck_assert_int_eq(time_parse(text, 0, &us), 0);
	ck_assert(us == now + 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_time");
	TCase *tc = tcase_create("ctl_time");

	tcase_add_loop_test(tc, parse, 0,
	    (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tc, print);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
