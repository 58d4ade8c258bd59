/* Tests of what two readings of the scoreboard tell. */

#include "ctl/top_sample.h"
#include "suite.h"

enum { NBUCKETS = 4, MS = 1000 };

/* Of times: upper bounds are 250 us, doubling. */
static const struct {
	uint64_t before[NBUCKETS], after[NBUCKETS];
	uint64_t last;		/* beyond all bounds */
	double part, us;
	bool open;
} cases[] = {
	{ { 0 }, { 0 }, 0, 0.5, -1, false },
	{ { 7, 8 }, { 7, 8 }, 0, 0.5, -1, false },
	/* What was there before doesn't count. */
	{ { 100, 0 }, { 100, 10 }, 0, 0.5, 375, false },
	{ { 0 }, { 100 }, 0, 0.5, 125, false },
	{ { 0 }, { 100 }, 0, 0.99, 247.5, false },
	{ { 0 }, { 50, 0, 50 }, 0, 0.5, 250, false },
	{ { 0 }, { 50, 0, 50 }, 0, 0.99, 990, false },
	{ { 0 }, { 0, 0, 0, 1 }, 0, 1, 2 * MS, false },
	{ { 0 }, { 1 }, 99, 0.99, 250 << (HIST_BUCKETS - 2), true },
	{ { 0 }, { 99 }, 1, 0.5, 126.26, false },
	/* A worker counts while it is read. */
	{ { 5, 5 }, { 4, 15 }, 0, 0.5, 375, false },
};

START_TEST(quantile)
{
	struct top_hist before = { .sum = 0 }, after = { .sum = 0 };
	bool open;
	double us;

	for (int b = 0; b < NBUCKETS; b++) {
		before.bucket[b] = cases[_i].before[b];
		after.bucket[b] = cases[_i].after[b];
	}
	after.bucket[HIST_BUCKETS - 1] = cases[_i].last;
	us = top_quantile(HIST_REQUEST, &before, &after, cases[_i].part,
	    &open);
	ck_assert_double_eq_tol(us, cases[_i].us, 0.01);
	ck_assert_int_eq(open, cases[_i].open);
}
END_TEST

START_TEST(rate_and_mean)
{
	struct top_sample from = { .at_ms = 5000 }, to = { .at_ms = 7000 };
	struct top_hist before = { .sum = 10, .count = 4 };
	struct top_hist after = { .sum = 40, .count = 16 };

	ck_assert_double_eq_tol(top_rate(&from, &to, 10, 15), 2.5, 1e-9);
	ck_assert_double_eq_tol(top_rate(&from, &to, 15, 10), 0, 1e-9);
	ck_assert_double_eq_tol(top_rate(&from, &from, 10, 15), 0, 1e-9);
	ck_assert_double_eq_tol(top_mean(&before, &after), 2.5, 1e-9);
	ck_assert_double_eq_tol(top_mean(&before, &before), -1, 1e-9);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("top");
	TCase *tc = tcase_create("top");

	tcase_add_loop_test(tc, quantile, 0,
	    (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tc, rate_and_mean);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
