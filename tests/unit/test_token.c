/* Tests of status tokens: the vectors, and the way there and back. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/outcome.h"
#include "stripe/token.h"
#include "suite.h"

static struct json_object *vectors;

static const char *
get(struct json_object *v, const char *key)
{
	return json_object_get_string(json_object_object_get(v, key));
}

START_TEST(vector)
{
	struct json_object *v =
	    json_object_array_get_idx(vectors, (size_t)_i);
	struct json_object *list = json_object_object_get(v, "keys");
	size_t n = json_object_array_length(list);
	struct strings keys = { calloc(n + 1, sizeof(char *)), n };
	int64_t now = json_object_get_int64(json_object_object_get(v, "now"));
	const char *expect = get(v, "expect"), *got;
	enum outcome out;

	for (size_t i = 0; i < n; i++)
		keys.s[i] = strdup(json_object_get_string(
		    json_object_array_get_idx(list, i)));
	out = token_check(get(v, "token"), get(v, "id"), now, &keys);
	got = out == OUT_OK ? "ok" : outcome_table[out].code;
	ck_assert_msg(strcmp(got, expect) == 0, "%s: %s", get(v, "name"), got);
	for (size_t i = 0; i < n; i++)
		free(keys.s[i]);
	free(keys.s);
}
END_TEST

/* Making the valid vectors gives their very text. */
START_TEST(same_text)
{
	struct json_object *v =
	    json_object_array_get_idx(vectors, (size_t)_i);
	struct json_object *list = json_object_object_get(v, "keys");
	char token[TOKEN_MAX];
	int same = 0;

	if (strcmp(get(v, "expect"), "ok") != 0)
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		ck_assert_int_eq(token_make(token, get(v, "id"),
		    strtoll(get(v, "token") + strlen("sht1."), NULL, 10),
		    json_object_get_string(json_object_array_get_idx(list,
		    i))), 0);
		same += strcmp(token, get(v, "token")) == 0;
	}
	ck_assert_int_eq(same, 1);
}
END_TEST

START_TEST(unmakeable)
{
	char token[TOKEN_MAX];

	ck_assert_int_eq(token_make(token, "pi_1", 0, "key"), -1);
	ck_assert_int_eq(token_make(token, "pi_1", -1, "key"), -1);
	ck_assert_int_eq(token_make(token, "pi_1", INT64_MAX, "key"), -1);
	ck_assert_int_eq(token_make(token, "pi_1", 1, ""), -1);
	ck_assert_int_eq(token_make(token, "pi_1", 999999999999999999, "key"),
	    0);
}
END_TEST

int
main(void)
{
	const char *srcdir = getenv("srcdir");
	char path[PATH_MAX];
	struct json_object *doc;
	Suite *s = suite_create("token");
	TCase *tc = tcase_create("all");
	int status, n;

	snprintf(path, sizeof(path), "%s/tests/token-vectors.json",
	    srcdir != NULL ? srcdir : ".");
	if ((doc = json_object_from_file(path)) == NULL) {
		fprintf(stderr, "%s: %s\n", path, json_util_get_last_err());
		return EXIT_FAILURE;
	}
	vectors = json_object_object_get(doc, "vectors");
	n = (int)json_object_array_length(vectors);
	tcase_add_loop_test(tc, vector, 0, n);
	tcase_add_loop_test(tc, same_text, 0, n);
	tcase_add_test(tc, unmakeable);
	suite_add_tcase(s, tc);
	status = suite_run(s);
	json_object_put(doc);
	return status;
}
