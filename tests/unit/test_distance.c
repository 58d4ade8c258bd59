/* How far a database is, by the statements of its batches. */
#include <check.h>
#include <stdlib.h>

#include "store/distance.h"

static struct distance d;

static void
setup(void)
{
	d = (struct distance){ 0 };
}

/* A batch whose statements took a, b and c milliseconds. */
static void
batch(int64_t a, int64_t b, int64_t c)
{
	distance_note(&d, a);
	distance_note(&d, b);
	distance_note(&d, c);
	distance_judge(&d);
}

START_TEST(near_at_first)
{
	ck_assert(!distance_is_far(&d));
	distance_judge(&d);
	ck_assert(!distance_is_far(&d));
}
END_TEST

START_TEST(far_after_three)
{
	batch(5, 6, 40);
	batch(7, 5, 5);
	ck_assert(!distance_is_far(&d));
	batch(9, 4, 6);
	ck_assert(distance_is_far(&d));
	for (int i = 0; i < 10; i++)
		batch(50, 51, 50);
	ck_assert(distance_is_far(&d));
}
END_TEST

START_TEST(one_short_statement_is_near)
{
	for (int i = 0; i < 10; i++) {
		batch(90, 3, 90);
		ck_assert(!distance_is_far(&d));
	}
	for (int i = 0; i < 3; i++)
		batch(5, 5, 5);
	batch(5, 5, 0);
	ck_assert(!distance_is_far(&d));
	batch(5, 5, 5);
	batch(5, 5, 5);
	ck_assert(!distance_is_far(&d));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("distance");
	TCase *tc = tcase_create("distance");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, near_at_first);
	tcase_add_test(tc, far_after_three);
	tcase_add_test(tc, one_short_statement_is_near);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
