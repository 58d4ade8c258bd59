/*
 * Sample events: each type is taken by event and mapping, the style is that
 * of the fixtures, a seed makes the same bytes, and each lifecycle ends in the
 * rows expected of it.
 */
#include <glob.h>
#include <json-c/json.h>
#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/mem.h"
#include "stripe/decide.h"
#include "stripe/event.h"
#include "stripe/mapping.h"
#include "stripe/sample.h"
#include "suite.h"

#define N(array) (int)(sizeof(array) / sizeof((array)[0]))

enum { NSHAPES = 2, EVENTS_MAX = 100, ROUNDS = 20 };

static char user_key[] = "user_id";
static char *key_list[] = { user_key };
static const struct strings user_keys = { key_list, 1 };

static struct obstack mem;
static struct sample_events made;

static void
setup(void)
{
	obstack_init(&mem);
}

static void
teardown(void)
{
	sample_events_free(&made);
	obstack_free(&mem, NULL);
}

/* Reads an event and makes its rows; the JSON stays. */
static enum outcome
map(const struct sample_event *sample, struct event *ev, struct rows *rows)
{
	const char *why;
	enum outcome out = event_parse(ev, &mem, sample->body, sample->len,
	    &why);

	ck_assert_msg(out == OUT_OK, "%s: %s", sample->type, why);
	return mapping_apply(rows, &mem, ev, &user_keys);
}

/* Every type, in both shapes. */
START_TEST(type)
{
	static const char *const leftovers[] = { "\"$", "$(", "\"@", "\"+a",
	    "\"-a" };
	const struct sample_options opt = { .seed = 7,
	    .shape = _i % NSHAPES == 0 ? SAMPLE_ACACIA : SAMPLE_BASIL };
	const size_t which = (size_t)(_i / NSHAPES);
	struct sample *s = sample_new(&opt);
	const struct sample_event *first;
	struct event ev;
	struct rows rows;
	enum outcome out;
	char *again;
	size_t len;

	sample_add_types(s, &which, 1, &made);
	sample_free(s);
	ck_assert_uint_eq(made.n, 1);
	first = &made.list[0];
	ck_assert_str_eq(first->type, sample_type(which));
	out = map(first, &ev, &rows);
	/* There is no invoice yet, so nothing to apply. */
	ck_assert_msg(out == (strcmp(first->type, "invoice.upcoming") == 0 ?
	    OUT_IGNORED : OUT_OK), "%s: %s", first->type, rows.reason);
	/* Where rebuild looks for rows of shared tables. */
	for (size_t i = 0; i < rows.n; i++)
		ck_assert_msg(!rows.row[i].table->shared ||
		    mapping_shares(first->type), "%s gives %s", first->type,
		    rows.row[i].table->name);
	ck_assert_str_eq(ev.id, first->id);
	ck_assert_str_eq(ev.type, first->type);
	ck_assert_uint_gt(first->len, 700);
	ck_assert_uint_lt(first->len, 12000);
	/* No variable was left. */
	for (int i = 0; i < N(leftovers); i++)
		ck_assert_msg(strstr(first->body, leftovers[i]) == NULL, "%s",
		    first->body);

	again = sample_print(ev.root, opt.shape, &len);
	ck_assert_str_eq(again, first->body);
	free(again);
	event_drop_json(&ev);
}
END_TEST

/* None is stored without being applied. */
START_TEST(supported)
{
	for (size_t i = 0; i < sample_ntypes(); i++)
		ck_assert_msg(mapping_supports(sample_type(i)) ||
		    strcmp(sample_type(i), "invoice.upcoming") == 0, "%s",
		    sample_type(i));
}
END_TEST

static void
make_lives(const struct sample_options *opt, struct sample_events *out)
{
	struct sample *s = sample_new(opt);

	for (int i = 0; i < ROUNDS; i++)
		sample_add_lifecycle(s, SAMPLE_MIX, out);
	sample_free(s);
}

START_TEST(seed)
{
	struct sample_options opt = { .seed = 1, .shape = SAMPLE_BASIL };
	struct sample_events other = { .list = NULL };

	make_lives(&opt, &made);
	make_lives(&opt, &other);
	ck_assert_uint_eq(made.n, other.n);
	for (size_t i = 0; i < made.n; i++)
		ck_assert_str_eq(made.list[i].body, other.list[i].body);
	for (size_t i = 0; i < made.n; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(made.list[i].id, made.list[k].id);
	sample_events_free(&other);

	opt.seed = 2;
	make_lives(&opt, &other);
	for (size_t i = 0; i < made.n && i < other.n; i++)
		ck_assert_str_ne(made.list[i].id, other.list[i].id);
	sample_events_free(&other);
}
END_TEST

/* With a now, nothing is later than that, but not long ago either. */
START_TEST(present)
{
	const struct sample_options opt = { .seed = 3, .shape = SAMPLE_BASIL,
	    .now = 1800000000 };
	struct event ev;
	struct rows rows;

	make_lives(&opt, &made);
	for (size_t i = 0; i < made.n; i++) {
		ck_assert_int_eq(map(&made.list[i], &ev, &rows), OUT_OK);
		ck_assert_int_le(ev.created, opt.now);
		ck_assert_int_gt(ev.created, opt.now - 300 * 86400);
		event_drop_json(&ev);
	}
}
END_TEST

/* Single events go on with what an earlier run made. */
START_TEST(born)
{
	struct sample_options opt = { .seed = 9, .shape = SAMPLE_BASIL,
	    .now = 1800000000 };
	struct sample *s = sample_new(&opt);
	struct sample_events more = { .list = NULL };
	struct event ev;
	struct rows rows;
	size_t which = 0;
	char id[SAMPLE_ID_MAX] = "";

	while (strcmp(sample_type(which), "payment_intent.succeeded") != 0)
		which++;
	sample_add_types(s, &which, 1, &made);
	sample_free(s);
	ck_assert_int_eq(map(&made.list[0], &ev, &rows), OUT_OK);
	ck_assert_int_eq(ev.created, made.list[0].created);
	snprintf(id, sizeof(id), "%s", ev.object_id);
	event_drop_json(&ev);

	opt.born = opt.now - 7;
	opt.now += 50;
	s = sample_new(&opt);
	sample_add_types(s, &which, 1, &more);
	sample_free(s);
	ck_assert_int_eq(map(&more.list[0], &ev, &rows), OUT_OK);
	ck_assert_str_eq(ev.object_id, id);
	ck_assert_str_ne(ev.id, made.list[0].id);
	ck_assert_int_eq(ev.created, opt.now);
	ck_assert_int_eq(json_object_get_int64(json_object_object_get(
	    ev.object, "created")), opt.born);
	event_drop_json(&ev);
	sample_events_free(&more);
}
END_TEST

START_TEST(options)
{
	const struct sample_options opt = { .seed = 4, .shape = SAMPLE_BASIL,
	    .livemode = true, .user = "ann", .user_key = "uid",
	    .same_second = true };
	struct event ev;
	struct rows rows;
	int64_t created = 0;

	make_lives(&opt, &made);
	for (size_t i = 0; i < made.n; i++) {
		ck_assert_int_eq(map(&made.list[i], &ev, &rows), OUT_OK);
		ck_assert(ev.livemode);
		ck_assert(strstr(made.list[i].body, "_test_") == NULL);
		ck_assert(strstr(made.list[i].body, "\"livemode\": false") ==
		    NULL);
		if (strcmp(ev.type, "customer.subscription.created") == 0) {
			ck_assert(strstr(made.list[i].body,
			    "\"uid\": \"ann\"") != NULL);
			created = ev.created;
		} else if (strncmp(ev.type, "customer.sub", 12) == 0)
			ck_assert_int_eq(ev.created, created);
		event_drop_json(&ev);
	}
	ck_assert_int_gt(created, 0);
}
END_TEST

static char *
read_file(const char *path, size_t *len)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	ssize_t n;

	ck_assert_msg(in != NULL, "cannot open %s", path);
	*len = 0;
	n = getdelim(&text, len, EOF, in);
	ck_assert_msg(n > 0, "%s is empty", path);
	*len = (size_t)n;
	fclose(in);
	return text;
}

/* A fixture that is read and printed again is the same, byte for byte. */
static int
check_style(const char *pattern)
{
	const char *dir = getenv("srcdir");
	char path[4096], *text, *again;
	struct json_object *json;
	size_t len, n;
	glob_t files;
	int checked = 0;

	snprintf(path, sizeof(path), "%s/tests/fixtures/%s",
	    dir != NULL ? dir : ".", pattern);
	ck_assert_msg(glob(path, 0, NULL, &files) == 0, "nothing at %s", path);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *name = files.gl_pathv[i];

		if (strstr(name, "/expected") != NULL)
			continue;
		text = read_file(name, &len);
		json = json_tokener_parse(text);
		again = sample_print(json, strstr(name, ".2024-06-20.") ?
		    SAMPLE_ACACIA : SAMPLE_BASIL, &n);
		ck_assert_msg(strcmp(again, text) == 0 && n == len, "%s:\n%s",
		    name, again);
		json_object_put(json);
		free(again);
		free(text);
		checked++;
	}
	globfree(&files);
	return checked;
}

START_TEST(style)
{
	ck_assert_int_gt(check_style("*.json"), 20);
	ck_assert_int_gt(check_style("lifecycle/*/*.json"), 8);
	ck_assert_int_gt(check_style("thin/*.json"), 0);
}
END_TEST

/* In the end: the values of a column, in the order of the alphabet. */
static const struct end {
	const char *life, *table, *column, *values;
	bool by_time;		/* a single second can't tell */
} ends[] = {
	{ "trial", "user_subscriptions", "status", "active", false },
	{ "trial", "invoices", "status", "paid paid", false },
	{ "trial", "setup_intents", "status", "succeeded", false },
	{ "trial", "checkout_sessions", "status", "complete", false },
	{ "paid", "user_subscriptions", "status", "active", false },
	{ "paid", "invoices", "status", "paid paid", false },
	{ "paid", "payments", "status", "succeeded succeeded", false },
	{ "past_due", "user_subscriptions", "status", "past_due", false },
	{ "past_due", "invoices", "status", "open paid", false },
	{ "past_due", "invoices", "attempt_count", "1 2", false },
	{ "past_due", "payments", "status",
	    "requires_payment_method succeeded", false },
	{ "past_due", "charges", "status", "failed failed succeeded", false },
	{ "past_due", "customers", "delinquent", "1", false },
	{ "recovered", "user_subscriptions", "status", "active", true },
	{ "recovered", "invoices", "status", "paid paid", false },
	{ "recovered", "invoices", "attempt_count", "1 3", false },
	{ "recovered", "payments", "status", "succeeded succeeded", false },
	{ "recovered", "customers", "delinquent", "0", true },
	{ "canceled", "user_subscriptions", "status", "canceled", false },
	{ "canceled", "user_subscriptions", "cancel_at_period_end", "1",
	    false },
	{ "refunded", "charges", "refunded", "1", false },
	{ "refunded", "payments", "status", "succeeded", false },
	{ "refunded", "refunds", "status", "succeeded succeeded", false },
	{ "refunded", "user_subscriptions", "status", "canceled", false },
	{ "disputed", "disputes", "status", "lost", false },
	{ "disputed", "charges", "disputed", "1", false },
	{ "disputed", "user_subscriptions", "status", "canceled", false },
	{ "3ds", "payments", "status", "succeeded", false },
	{ "3ds", "invoices", "status", "paid", false },
	{ "3ds", "user_subscriptions", "status", "active", false },
	{ "won", "disputes", "status", "won", false },
	{ "won", "user_subscriptions", "status", "active", false },
	{ "given_up", "user_subscriptions", "status", "canceled", false },
	{ "given_up", "invoices", "status", "paid uncollectible", false },
	{ "paused", "user_subscriptions", "status", "paused", false },
	{ "resumed", "user_subscriptions", "status", "active", false },
	{ "one_time", "payments", "status", "succeeded", false },
	{ "one_time", "checkout_sessions", "payment_status", "paid", false },
	{ "retried", "payments", "status", "succeeded", false },
	{ "retried", "charges", "status", "failed succeeded", false },
	{ "secured", "payments", "status", "succeeded", false },
	{ "debited", "payments", "status", "succeeded", false },
	{ "debited", "charges", "status", "succeeded", false },
	{ "debited", "checkout_sessions", "payment_status", "paid", false },
	{ "abandoned", "payments", "status", "canceled", false },
	{ "abandoned", "checkout_sessions", "status", "expired", false },
	{ "captured", "payments", "status", "succeeded", false },
	{ "captured", "charges", "captured", "1", false },
	{ "expired", "user_subscriptions", "status", "incomplete_expired",
	    false },
	{ "expired", "invoices", "status", "void", false },
	{ "expired", "payments", "status", "canceled", false },
	{ "deleted", "customers", "deleted", "1", false },
	{ "deleted", "invoices", "deleted", "0 1", false },
};

/* What stands for the database: every row that every event made. */
static struct event events[EVENTS_MAX];
static struct rows rows_of[EVENTS_MAX];

static int
compare_keys(const struct row *a, const struct row *b)
{
	size_t len = a->order_key_len < b->order_key_len ? a->order_key_len :
	    b->order_key_len;
	int c = memcmp(a->order_key, b->order_key, len);

	return c != 0 ? c : (a->order_key_len > b->order_key_len) -
	    (a->order_key_len < b->order_key_len);
}

static bool
same_object(const struct row *a, const struct row *b)
{
	return a->table == b->table && strcmp(a->values[0].s,
	    b->values[0].s) == 0;
}

/* The row of event e's object that wins against all others. */
static const struct row *
settle(const struct row *of, bool must_be_certain)
{
	const struct row *best = of;
	struct tied tied[EVENTS_MAX], back[EVENTS_MAX];
	struct decision there, and_back;
	size_t n = 0;

	for (size_t e = 0; e < made.n; e++)
		for (size_t r = 0; r < rows_of[e].n; r++)
			if (same_object(&rows_of[e].row[r], of) &&
			    compare_keys(&rows_of[e].row[r], best) > 0)
				best = &rows_of[e].row[r];
	for (size_t e = 0; e < made.n; e++)
		for (size_t r = 0; r < rows_of[e].n; r++)
			if (same_object(&rows_of[e].row[r], of) &&
			    compare_keys(&rows_of[e].row[r], best) == 0)
				tied[n++] = (struct tied){ events[e].id,
				    events[e].object, events[e].previous,
				    &rows_of[e].row[r] };
	for (size_t i = 0; i < n; i++)
		back[i] = tied[n - 1 - i];
	there = decide(tied, n);
	and_back = decide(back, n);
	ck_assert_ptr_eq(tied[there.winner].row, back[and_back.winner].row);
	if (must_be_certain)
		ck_assert_msg(there.certain, "%s %s is a tie", of->table->name,
		    of->values[0].s);
	return tied[there.winner].row;
}

static const char *
text_of(const struct row *row, const char *column)
{
	for (size_t i = 0; i < row->table->ncols; i++) {
		const struct value *v = &row->values[i];
		char number[32];

		if (strcmp(row->table->cols[i].name, column) != 0)
			continue;
		if (v->type == VALUE_BYTES)
			return v->s;
		if (v->type == VALUE_NULL)
			return "null";
		snprintf(number, sizeof(number), "%lld", (long long)v->i);
		return obstack_copy0(&mem, number, (int)strlen(number));
	}
	ck_abort_msg("%s has no column %s", row->table->name, column);
	return NULL;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The column's values of all the table's objects, separated by blanks. */
static void
gather(char *out, size_t size, const struct end *end, bool must_be_certain)
{
	const struct row *seen[EVENTS_MAX];
	const char *texts[EVENTS_MAX];
	size_t n = 0, len = 0;

	for (size_t e = 0; e < made.n; e++)
		for (size_t r = 0; r < rows_of[e].n; r++) {
			const struct row *row = &rows_of[e].row[r];
			bool known = strcmp(row->table->name, end->table) != 0;

			for (size_t i = 0; i < n && !known; i++)
				known = same_object(seen[i], row);
			if (known)
				continue;
			seen[n] = row;
			texts[n++] = text_of(settle(row, must_be_certain),
			    end->column);
		}
	qsort(texts, n, sizeof(*texts), compare_texts);
	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s",
		    i > 0 ? " " : "", texts[i]);
}

static int
life_find(const char *name)
{
	for (size_t i = 0; i < sample_nlifecycles(); i++)
		if (strcmp(sample_lifecycle(i), name) == 0)
			return (int)i;
	ck_abort_msg("no lifecycle %s", name);
	return -1;
}

static void
check_end(const struct end *end, const struct sample_options *opt)
{
	struct sample *s = sample_new(opt);
	char found[512];

	sample_add_lifecycle(s, life_find(end->life), &made);
	sample_free(s);
	ck_assert_uint_le(made.n, EVENTS_MAX);
	for (size_t i = 0; i < made.n; i++)
		ck_assert_msg(map(&made.list[i], &events[i], &rows_of[i]) ==
		    OUT_OK, "%s: %s", events[i].type, rows_of[i].reason);
	gather(found, sizeof(found), end, !opt->same_second);
	ck_assert_msg(strcmp(found, end->values) == 0,
	    "%s, %s.%s: expected %s, found %s", end->life, end->table,
	    end->column, end->values, found);
	for (size_t i = 0; i < made.n; i++)
		event_drop_json(&events[i]);
	sample_events_free(&made);
}

/* In both shapes, and with all of it in one second. */
START_TEST(lifecycle)
{
	const struct end *end = &ends[_i];

	for (int i = 0; i < 2 * NSHAPES; i++) {
		const struct sample_options opt = { .seed = 5,
		    .shape = i % NSHAPES == 0 ? SAMPLE_ACACIA : SAMPLE_BASIL,
		    .same_second = i >= NSHAPES };

		if (!opt.same_second || !end->by_time)
			check_end(end, &opt);
	}
}
END_TEST

/* Each of them is looked at above. */
START_TEST(all_lifecycles)
{
	for (size_t i = 0; i < sample_nlifecycles(); i++) {
		bool found = false;

		for (int k = 0; k < N(ends); k++)
			found |= strcmp(ends[k].life,
			    sample_lifecycle(i)) == 0;
		ck_assert_msg(found, "%s", sample_lifecycle(i));
	}
}
END_TEST

/* An event that names its past differs from it in just that. */
START_TEST(previous)
{
	const struct sample_options opt = { .seed = 6,
	    .shape = SAMPLE_BASIL };
	struct event ev;
	struct rows rows;
	int named = 0;

	make_lives(&opt, &made);
	for (size_t i = 0; i < made.n; i++) {
		ck_assert_int_eq(map(&made.list[i], &ev, &rows), OUT_OK);
		if (strstr(ev.type, ".updated") != NULL &&
		    strncmp(ev.type, "charge.refund.", 14) != 0)
			ck_assert_msg(ev.previous != NULL, "%s", ev.type);
		if (ev.previous != NULL) {
			ck_assert_msg(!decide_follows(ev.previous, ev.object),
			    "%s", made.list[i].body);
			named++;
		}
		event_drop_json(&ev);
	}
	ck_assert_int_gt(named, ROUNDS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sample");
	TCase *tc = tcase_create("sample");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, type, 0, (int)sample_ntypes() * NSHAPES);
	tcase_add_test(tc, supported);
	tcase_add_test(tc, seed);
	tcase_add_test(tc, present);
	tcase_add_test(tc, born);
	tcase_add_test(tc, options);
	tcase_add_test(tc, style);
	tcase_add_loop_test(tc, lifecycle, 0, N(ends));
	tcase_add_test(tc, all_lifecycles);
	tcase_add_test(tc, previous);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
