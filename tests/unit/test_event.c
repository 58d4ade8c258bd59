/* Tests of event parsing: fixtures, fields, and everything that is no event. */
#include <glob.h>
#include <limits.h>
#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "base/outcome.h"
#include "stripe/event.h"
#include "stripe/json.h"
#include "suite.h"

static struct obstack mem;
static struct event ev;
static const char *why;

static void
set_up(void)
{
	obstack_init(&mem);
}

static void
tear_down(void)
{
	obstack_free(&mem, NULL);
}

/*
 * Parses a copy that ends where its memory ends, so that a sanitizer sees
 * what reads on.
 */
static enum outcome
parse(const char *text, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum outcome out;

	memcpy(copy, text, len);
	out = event_parse(&ev, &mem, copy, len, &why);
	free(copy);
	ck_assert_int_eq(out == OUT_OK, why == NULL);
	ck_assert_int_eq(out == OUT_OK, ev.root != NULL);
	return out;
}

#define S(text) text, sizeof(text) - 1

static const struct bad_text {
	const char *text;
	size_t len;
	enum outcome out;
} bad_texts[] = {
	{ S(""), OUT_BAD_JSON },
	{ S(" \t\r\n "), OUT_BAD_JSON },
	{ S("\0"), OUT_BAD_JSON },
	{ S("{"), OUT_BAD_JSON },
	{ S("{\"id\""), OUT_BAD_JSON },
	{ S("{\"id\":"), OUT_BAD_JSON },
	{ S("{\"id\":\"a\\"), OUT_BAD_JSON },
	{ S("{\"id\":\"a\\u12"), OUT_BAD_JSON },
	{ S("{\"id\":\"a\\x\"}"), OUT_BAD_JSON },
	{ S("{\"id\":\"\xc3"), OUT_BAD_JSON },
	{ S("{}}"), OUT_BAD_JSON },
	{ S("{}{}"), OUT_BAD_JSON },
	{ S("{}x"), OUT_BAD_JSON },
	{ S("{} \0"), OUT_BAD_JSON },
	{ S("{}\0{}"), OUT_BAD_JSON },
	{ S("{\"a\":\"b\0c\"}"), OUT_BAD_JSON },
	{ S("{\"a\0\":1}"), OUT_BAD_JSON },
	{ S("{\"a\\u0000b\":1}"), OUT_BAD_JSON },
	{ S("{\"a\":1,}"), OUT_BAD_JSON },
	{ S("{\"a\":[1,]}"), OUT_BAD_JSON },
	{ S("{\"a\" 1}"), OUT_BAD_JSON },
	{ S("{'a':1}"), OUT_BAD_JSON },
	{ S("{\"a\":'b'}"), OUT_BAD_JSON },
	{ S("{a:1}"), OUT_BAD_JSON },
	{ S("{\"a\":NaN}"), OUT_BAD_JSON },
	{ S("{\"a\":Infinity}"), OUT_BAD_JSON },
	{ S("{\"a\":-Infinity}"), OUT_BAD_JSON },
	{ S("{\"a\":1.}"), OUT_BAD_JSON },
	{ S("{\"a\":01}"), OUT_BAD_JSON },
	{ S("{\"a\":-01}"), OUT_BAD_JSON },
	{ S("{\"a\":01.5}"), OUT_BAD_JSON },
	{ S("{\"a\":-.5}"), OUT_BAD_JSON },
	{ S("{\"a\":.5}"), OUT_BAD_JSON },
	{ S("{\"a\":1e}"), OUT_BAD_JSON },
	{ S("{\"a\":1 2}"), OUT_BAD_JSON },
	{ S("{\"a\":1-2}"), OUT_BAD_JSON },
	{ S("{\"a\":+1}"), OUT_BAD_JSON },
	{ S("{\"a\":True}"), OUT_BAD_JSON },
	{ S("{\"a\":tru}"), OUT_BAD_JSON },
	{ S("{\"a\":\"b\nc\"}"), OUT_BAD_JSON },
	{ S("{\"a\":\"b\tc\"}"), OUT_BAD_JSON },
	{ S("{\"a\n\":1}"), OUT_BAD_JSON },
	{ S("{\"a\":/* */1}"), OUT_BAD_JSON },
	{ S("{\"a\":\v1}"), OUT_BAD_JSON },
	{ S("{\"a\":\"\xff\"}"), OUT_BAD_JSON },
	{ S("{\"a\":\"\x80\"}"), OUT_BAD_JSON },
	{ S("{\"a\":\"\xc0\xaf\"}"), OUT_BAD_JSON },
	{ S("{\"a\":\"\xe0\x80\xaf\"}"), OUT_BAD_JSON },
	{ S("{\"a\":\"\xf0\x80\x80\xaf\"}"), OUT_BAD_JSON },
	{ S("{\"a\":\"\xed\xa0\x80\"}"), OUT_BAD_JSON },
	{ S("{\"a\":\"\xf4\x90\x80\x80\"}"), OUT_BAD_JSON },
	{ S("{\"a\":\"\xf5\x80\x80\x80\"}"), OUT_BAD_JSON },
	{ S("{\"a\":\"\xe2\x82\"}"), OUT_BAD_JSON },
	{ S("{\"\xc3\":1}"), OUT_BAD_JSON },
	{ S("\xef\xbb\xbf{}"), OUT_BAD_JSON },
	{ S("this is not valid JSON."), OUT_BAD_JSON },
	{ S("} I am not JSON: 123]["), OUT_BAD_JSON },
	{ S("id=evt_1&object=event"), OUT_BAD_JSON },
	{ S("[1,2"), OUT_BAD_JSON },
	{ S("\"abc"), OUT_BAD_JSON },
	{ S("nul"), OUT_BAD_JSON },
	{ S("-"), OUT_BAD_JSON },
	{ S("{}"), OUT_NO_EVENT },
	{ S(" {\t}\r\n"), OUT_NO_EVENT },
	{ S("[]"), OUT_NO_EVENT },
	{ S("[{\"id\":\"evt_1\",\"object\":\"event\"}]"), OUT_NO_EVENT },
	{ S("\"abc\""), OUT_NO_EVENT },
	{ S("null"), OUT_NO_EVENT },
	{ S("true"), OUT_NO_EVENT },
	{ S(" false "), OUT_NO_EVENT },
	{ S("12"), OUT_NO_EVENT },
	{ S("-1.5e3"), OUT_NO_EVENT },
};

START_TEST(bad_text)
{
	const struct bad_text *b = &bad_texts[_i];
	enum outcome out = parse(b->text, b->len);

	ck_assert_msg(out == b->out, "'%.*s': %s, %s", (int)b->len, b->text,
	    outcome_table[out].code, why);
}
END_TEST

/* An event whose fields the tests put others in place of. */
static const char *const whole[][2] = {
	{ "id", "\"evt_1\"" },
	{ "object", "\"event\"" },
	{ "type", "\"invoice.paid\"" },
	{ "created", "1700000000" },
	{ "livemode", "true" },
	{ "account", "\"acct_1\"" },
	{ "api_version", "\"2024-06-20\"" },
	{ "data", "{\"object\":{\"id\":\"in_1\"},"
	    "\"previous_attributes\":{\"status\":\"open\"}}" },
};

/* Writes the event, its member key having value or, if NULL, missing. */
static int
write_event(char *text, size_t size, const char *key, const char *value)
{
	int n = snprintf(text, size, "{\"x\":null");

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		const char *v = whole[i][1];

		if (strcmp(whole[i][0], key) == 0)
			v = value;
		if (v != NULL)
			n += snprintf(text + n, size - (size_t)n,
			    ",\n \"%s\" : %s", whole[i][0], v);
	}
	return n + snprintf(text + n, size - (size_t)n, "}");
}

#define A16 "aaaaaaaaaaaaaaaa"
#define A255 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 \
    "aaaaaaaaaaaaaaa"

static const struct field {
	const char *key, *value;
	enum outcome out;
} fields[] = {
	{ "", NULL, OUT_OK },
	{ "id", NULL, OUT_NO_EVENT },
	{ "id", "null", OUT_NO_EVENT },
	{ "id", "1", OUT_NO_EVENT },
	{ "id", "\"\"", OUT_NO_EVENT },
	{ "id", "\"evt 1\"", OUT_NO_EVENT },
	{ "id", "\"evt_\\u00001\"", OUT_NO_EVENT },
	{ "id", "\"evt_1\\u0000\"", OUT_NO_EVENT },
	{ "id", "\"evt_\\u00e9\"", OUT_NO_EVENT },
	{ "id", "\"evt_\xc3\xa9\"", OUT_NO_EVENT },
	{ "id", "\"evt_1\\n\"", OUT_NO_EVENT },
	{ "id", "\"evt_1\\u007f\"", OUT_NO_EVENT },
	{ "id", "\"" A255 "\"", OUT_OK },
	{ "id", "\"" A255 "a\"", OUT_NO_EVENT },
	{ "id", "[\"evt_1\"]", OUT_NO_EVENT },
	{ "id", "{}", OUT_NO_EVENT },
	{ "object", NULL, OUT_NO_EVENT },
	{ "object", "null", OUT_NO_EVENT },
	{ "object", "1", OUT_NO_EVENT },
	{ "object", "\"list\"", OUT_NO_EVENT },
	{ "object", "\"event\\u0000\"", OUT_NO_EVENT },
	{ "object", "\"v2.core.event\"", OUT_NO_EVENT },
	{ "type", NULL, OUT_NO_EVENT },
	{ "type", "false", OUT_NO_EVENT },
	{ "type", "\"\"", OUT_NO_EVENT },
	{ "type", "\"new.unheard_of\"", OUT_OK },
	{ "created", NULL, OUT_NO_EVENT },
	{ "created", "null", OUT_NO_EVENT },
	{ "created", "0", OUT_OK },
	{ "created", "-1", OUT_NO_EVENT },
	{ "created", "1.5", OUT_NO_EVENT },
	{ "created", "1e9", OUT_NO_EVENT },
	{ "created", "\"1700000000\"", OUT_NO_EVENT },
	{ "created", "true", OUT_NO_EVENT },
	{ "created", "253402300799", OUT_OK },
	{ "created", "253402300800", OUT_NO_EVENT },
	{ "created", "9223372036854775807", OUT_NO_EVENT },
	{ "created", "9223372036854775808", OUT_NO_EVENT },
	{ "created", "18446744073709551616", OUT_NO_EVENT },
	{ "created", "99999999999999999999999999999", OUT_NO_EVENT },
	{ "livemode", NULL, OUT_OK },
	{ "livemode", "null", OUT_OK },
	{ "livemode", "\"true\"", OUT_NO_EVENT },
	{ "livemode", "1", OUT_NO_EVENT },
	{ "account", NULL, OUT_OK },
	{ "account", "null", OUT_OK },
	{ "account", "1", OUT_NO_EVENT },
	{ "account", "\"acct 1\"", OUT_NO_EVENT },
	{ "api_version", NULL, OUT_OK },
	{ "api_version", "null", OUT_OK },
	{ "api_version", "20240620", OUT_NO_EVENT },
	{ "data", NULL, OUT_NO_EVENT },
	{ "data", "null", OUT_NO_EVENT },
	{ "data", "[]", OUT_NO_EVENT },
	{ "data", "\"x\"", OUT_NO_EVENT },
	{ "data", "{}", OUT_NO_EVENT },
	{ "data", "{\"object\":null}", OUT_NO_EVENT },
	{ "data", "{\"object\":[]}", OUT_NO_EVENT },
	{ "data", "{\"object\":\"in_1\"}", OUT_NO_EVENT },
	{ "data", "{\"object\":{}}", OUT_OK },
};

START_TEST(field)
{
	const struct field *f = &fields[_i];
	char text[2048];
	int n = write_event(text, sizeof(text), f->key, f->value);
	enum outcome out = parse(text, (size_t)n);

	ck_assert_msg(out == f->out, "%s: %s: %s", text,
	    outcome_table[out].code, why != NULL ? why : "");
	/* The reason names the field. */
	if (out == OUT_NO_EVENT)
		ck_assert_msg(strstr(why, f->key) != NULL ||
		    strcmp(f->key, "object") == 0, "%s: %s", text, why);
	event_drop_json(&ev);
}
END_TEST

START_TEST(values)
{
	char text[2048];
	int n = write_event(text, sizeof(text), "", NULL);

	ck_assert_int_eq(parse(text, (size_t)n), OUT_OK);
	ck_assert_str_eq(ev.id, "evt_1");
	ck_assert_str_eq(ev.type, "invoice.paid");
	ck_assert_str_eq(ev.object_id, "in_1");
	ck_assert_str_eq(ev.account, "acct_1");
	ck_assert_str_eq(ev.api_version, "2024-06-20");
	ck_assert_int_eq(ev.created, 1700000000);
	ck_assert(ev.livemode && !ev.thin);
	ck_assert_uint_eq(ev.size, (size_t)n);
	ck_assert_str_eq(json_object_get_string(json_object_object_get(
	    ev.object, "id")), "in_1");
	ck_assert_str_eq(json_object_get_string(json_object_object_get(
	    ev.previous, "status")), "open");
	event_drop_json(&ev);
	ck_assert_ptr_null(ev.root);
	ck_assert_ptr_null(ev.object);
	ck_assert_ptr_null(ev.previous);
	event_drop_json(&ev);
	ck_assert_str_eq(ev.id, "evt_1");
}
END_TEST

START_TEST(absent_values)
{
	static const char text[] = "{\"id\":\"evt_1\",\"object\":\"event\","
	    "\"type\":\"a.b\",\"created\":1,\"context\":\"org_1\","
	    "\"data\":{\"object\":{\"id\":7},\"previous_attributes\":null},"
	    "\"id\":\"evt_2\"}";

	ck_assert_int_eq(parse(text, strlen(text)), OUT_OK);
	ck_assert_str_eq(ev.id, "evt_2");	/* the last one counts */
	ck_assert_str_eq(ev.object_id, "");
	ck_assert_str_eq(ev.account, "");
	ck_assert_ptr_null(ev.api_version);
	ck_assert_ptr_null(ev.previous);
	ck_assert(!ev.livemode);
	event_drop_json(&ev);
}
END_TEST

static const struct thin_time {
	const char *text;
	int64_t t;		/* -1: refused */
} thin_times[] = {
	{ "\"2026-10-05T12:00:00.123Z\"", 1791201600 },
	{ "\"2026-10-05T12:00:00.123456789Z\"", 1791201600 },
	{ "\"2026-10-05T12:00:00Z\"", 1791201600 },
	{ "\"2026-10-05t12:00:00z\"", 1791201600 },
	{ "\"2026-10-05T12:00:00+00:00\"", 1791201600 },
	{ "\"2026-10-05T14:30:00+02:30\"", 1791201600 },
	{ "\"2026-10-05T07:00:00.9-05:00\"", 1791201600 },
	{ "\"2026-10-06T00:00:00+12:00\"", 1791201600 },
	{ "\"1970-01-01T00:00:00Z\"", 0 },
	{ "\"2024-02-29T00:00:00Z\"", 1709164800 },
	{ "\"2016-12-31T23:59:60Z\"", 1483228800 },
	{ "\"2026-02-29T00:00:00Z\"", -1 },
	{ "\"2026-13-01T00:00:00Z\"", -1 },
	{ "\"2026-10-05T24:00:00Z\"", -1 },
	{ "\"2026-10-05T12:60:00Z\"", -1 },
	{ "\"2026-10-05T12:00:00\"", -1 },
	{ "\"2026-10-05T12:00:00.Z\"", -1 },
	{ "\"2026-10-05T12:00:00+0000\"", -1 },
	{ "\"2026-10-05T12:00:00+25:00\"", -1 },
	{ "\"2026-10-05T12:00:00Zulu\"", -1 },
	{ "\"2026-10-05T12:00:00Z\\u0000\"", -1 },
	{ "\"2026-10-05T12:00\"", -1 },
	{ "\"2026-10-05\"", -1 },
	{ "\" 2026-10-5T12:00:00Z\"", -1 },
	{ "\"1969-12-31T23:59:59Z\"", -1 },
	{ "\"\"", -1 },
	{ "1791201600", -1 },
	{ "null", -1 },
};

START_TEST(thin_time)
{
	const struct thin_time *t = &thin_times[_i];
	char text[512];
	int n = snprintf(text, sizeof(text), "{\"id\":\"evt_1\","
	    "\"object\":\"v2.core.event\",\"type\":\"v1.invoice.paid\","
	    "\"created\":%s,\"related_object\":null}", t->text);

	ck_assert_msg(parse(text, (size_t)n) ==
	    (t->t == -1 ? OUT_NO_EVENT : OUT_OK), "%s", t->text);
	if (t->t != -1)
		ck_assert_msg(ev.created == t->t, "%s: %lld", t->text,
		    (long long)ev.created);
	event_drop_json(&ev);
}
END_TEST

#define HEAD "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"a.b\"," \
    "\"created\":1,\"data\":{\"object\":{\"a\":"

/* Nesting: brackets within each other, with the event's own in the count. */
static const struct nest {
	size_t depth;
	enum outcome out;
} nests[] = {
	{ 63, OUT_OK }, { 64, OUT_OK }, { 65, OUT_BAD_JSON },
	{ 10000, OUT_BAD_JSON },
};

START_TEST(nest)
{
	const struct nest *t = &nests[_i];
	char *text = calloc(1, 2 * t->depth + 256);
	size_t inner = t->depth - 3;
	char *p = text + sprintf(text, HEAD);

	memset(p, '[', inner);
	p += inner;
	*p++ = '1';
	memset(p, ']', inner);
	p += inner;
	p += sprintf(p, "}}}");
	ck_assert_int_eq(parse(text, (size_t)(p - text)), t->out);
	event_drop_json(&ev);
	memset(text, '[', t->depth);
	ck_assert_int_eq(parse(text, t->depth), t->depth > 4096 ?
	    OUT_NO_EVENT : OUT_BAD_JSON);
	free(text);
}
END_TEST

/* Texts of 1 MiB: what surrounds a member repeated over and over. */
static const struct big {
	const char *head, *member, *tail;
	enum outcome out;
} bigs[] = {
	{ "[", "{},", "{}]", OUT_NO_EVENT },
	{ HEAD "[", "{},", "{}]}}}", OUT_NO_EVENT },
	{ HEAD "[", "[],", "[]]}}}", OUT_NO_EVENT },
	{ "\"", "a", "\"", OUT_NO_EVENT },
	{ "", " ", "", OUT_BAD_JSON },
	{ "", "x", "", OUT_BAD_JSON },
	{ HEAD "\"", "\xff", "\"}}}", OUT_BAD_JSON },
	{ HEAD "\"", "\xc3\xa9", "\"}}}", OUT_OK },
	{ HEAD "[", "{\"id\":\"il_1\", \"amount\":100},\n", "1]}}}", OUT_OK },
};

START_TEST(big)
{
	const struct big *b = &bigs[_i];
	size_t size = 1024 * 1024, n = strlen(b->member);
	char *text = malloc(size + 256);
	char *p = text + sprintf(text, "%s", b->head);

	for (; (size_t)(p - text) + n < size; p += n)
		memcpy(p, b->member, n);
	p += sprintf(p, "%s", b->tail);
	ck_assert_int_eq(parse(text, (size_t)(p - text)), b->out);
	event_drop_json(&ev);
	free(text);
}
END_TEST

START_TEST(every_truncation)
{
	char text[2048];
	int n = write_event(text, sizeof(text), "", NULL);

	for (int i = 0; i < n; i++)
		ck_assert_int_eq(parse(text, (size_t)i), OUT_BAD_JSON);
}
END_TEST

/* Any byte in place of any other must not be read over the end. */
START_TEST(every_byte_changed)
{
	char text[2048];
	int n = write_event(text, sizeof(text), "", NULL);
	static const char with[] = "\0\"\\{}[]'\n\xc3\xe2\x80u0,:.-";

	for (int i = 0; i < n; i++) {
		char was = text[i];

		for (size_t k = 0; k < sizeof(with); k++) {
			text[i] = with[k];
			(void)parse(text, (size_t)n);
			event_drop_json(&ev);
		}
		text[i] = was;
	}
}
END_TEST

static glob_t fixtures;

START_TEST(fixture)
{
	const char *path = fixtures.gl_pathv[_i];
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t size = 0;
	ssize_t len;
	struct json_object *doc = json_object_from_file(path), *v;
	enum outcome out;

	ck_assert_msg(f != NULL && doc != NULL, "%s", path);
	len = getdelim(&text, &size, '\0', f);
	fclose(f);
	out = parse(text, (size_t)len);
	free(text);
	/* Expected rows stand beside the events. */
	if (!json_object_object_get_ex(doc, "object", &v)) {
		ck_assert_msg(out == OUT_NO_EVENT, "%s", path);
		json_object_put(doc);
		return;
	}
	ck_assert_msg(out == OUT_OK, "%s: %s", path, why);
	json_object_object_get_ex(doc, "id", &v);
	ck_assert_str_eq(ev.id, json_object_get_string(v));
	ck_assert_msg(ev.thin == (strstr(path, "/thin/") != NULL), "%s", path);
	ck_assert_msg(*ev.object_id != '\0', "%s", path);
	json_object_put(doc);
	event_drop_json(&ev);
}
END_TEST

static void
find_fixtures(void)
{
	static const char *const patterns[] = {
		"*.json", "thin/*.json", "lifecycle/*/*.json"
	};
	const char *srcdir = getenv("srcdir");
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		snprintf(path, sizeof(path), "%s/tests/fixtures/%s",
		    srcdir != NULL ? srcdir : ".", patterns[i]);
		if (glob(path, i > 0 ? GLOB_APPEND : 0, NULL, &fixtures) != 0) {
			fprintf(stderr, "%s: no fixtures found\n", path);
			exit(EXIT_FAILURE);
		}
	}
}

#define LOOP(tc, test, table) \
	tcase_add_loop_test(tc, test, 0, \
	    (int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *s = suite_create("event");
	TCase *tc = tcase_create("all");
	int status;

	find_fixtures();
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	LOOP(tc, bad_text, bad_texts);
	LOOP(tc, field, fields);
	tcase_add_test(tc, values);
	tcase_add_test(tc, absent_values);
	LOOP(tc, thin_time, thin_times);
	LOOP(tc, nest, nests);
	LOOP(tc, big, bigs);
	tcase_add_test(tc, every_truncation);
	tcase_add_test(tc, every_byte_changed);
	tcase_add_loop_test(tc, fixture, 0, (int)fixtures.gl_pathc);
	suite_add_tcase(s, tc);
	status = suite_run(s);
	globfree(&fixtures);
	return status;
}
