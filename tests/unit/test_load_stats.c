/* Quantiles of the load generator. */
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../bench/load.h"
#include "suite.h"

/* A member of the report. */
static int64_t
reported(const char *name)
{
	const struct load_options opt = { .count = 1 };
	struct json_object *root, *value;
	int64_t result;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	load_stats_report(out, &opt, 1000000);
	fclose(out);
	root = json_tokener_parse(text);
	ck_assert_ptr_nonnull(root);
	ck_assert(json_object_object_get_ex(root, name, &value));
	result = json_object_get_int64(value);
	json_object_put(root);
	free(text);
	return result;
}

START_TEST(what_it_was)
{
	for (int64_t us = 1; us < INT32_MAX / 2; us += us / 7 + 1) {
		load_stats_reset(0);
		load_stats_count(200, 0, 0, us);
		ck_assert_int_le(llabs(reported("p50_us") - us), us / 64);
		ck_assert_int_le(llabs(reported("p99_us") - us), us / 64);
	}
}
END_TEST

START_TEST(of_many)
{
	load_stats_reset(0);
	for (int64_t us = 1; us <= 100000; us++)
		load_stats_count(us % 10 == 0 ? 503 : 200, 0, 0, us);
	ck_assert_int_le(llabs(reported("p50_us") - 50000), 50000 / 64);
	ck_assert_int_le(llabs(reported("p99_us") - 99000), 99000 / 64);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("load_stats");
	TCase *tc = tcase_create("load_stats");

	tcase_add_test(tc, what_it_was);
	tcase_add_test(tc, of_many);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
