/*
 * Ties: the last of several events of one second is found by what they say of
 * their past, and is the same one in whichever order they are given and
 * whatever their ids are.
 */
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
#include "suite.h"

#define N(array) (int)(sizeof(array) / sizeof((array)[0]))

enum { MANY = TIED_MAX + 6, PERMUTED = 6, ID_LEN = 32 };

/* What happened, in its true order; ids are given later. */
static struct obstack mem;
static struct event events[MANY];
static struct rows rows[MANY];
static size_t nevents;

static void
setup(void)
{
	obstack_init(&mem);
	nevents = 0;
}

static void
teardown(void)
{
	for (size_t i = 0; i < nevents; i++)
		event_drop_json(&events[i]);
	obstack_free(&mem, NULL);
}

/* Texts are written with ' for ". */
static char *
quoted(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	return text;
}

/* An event of a subscription that has these members; previous may be NULL. */
static void
happens(const char *previous, const char *members)
{
	static const struct strings keys = { NULL, 0 };
	struct event *ev = &events[nevents];
	char text[2048];
	const char *why;

	snprintf(text, sizeof(text), "{'id':'evt_0','object':'event','type':"
	    "'customer.subscription.updated','created':10,'livemode':false,"
	    "'data':{'object':{'id':'sub_1','object':'subscription','created':"
	    "5%s%s}%s%s}}", members[0] != '\0' ? "," : "", members,
	    previous != NULL ? ",'previous_attributes':" : "",
	    previous != NULL ? previous : "");
	quoted(text);
	ck_assert_msg(event_parse(ev, &mem, text, strlen(text), &why) ==
	    OUT_OK, "%s: %s", text, why);
	ck_assert_msg(mapping_apply(&rows[nevents], &mem, ev, &keys) ==
	    OUT_OK, "%s: %s", text, rows[nevents].reason);
	ck_assert_uint_eq(rows[nevents].n, 1);
	nevents++;
}

/* Asks with the events in this order; event i has the id of rank ids[i]. */
static size_t
ask(const size_t *order, const size_t *ids, bool *certain)
{
	static char texts[MANY][ID_LEN];
	struct tied tied[MANY];
	struct decision d;

	for (size_t i = 0; i < nevents; i++) {
		size_t k = order[i];

		snprintf(texts[k], sizeof(texts[k]), "evt_%03zu", ids[k]);
		tied[i] = (struct tied){ texts[k], events[k].object,
		    events[k].previous, &rows[k].row[0] };
	}
	d = decide(tied, nevents);
	*certain = d.certain;
	ck_assert_uint_lt(d.winner, nevents);
	return order[d.winner];
}

/* What must come out: one of the events in the mask. */
struct expected {
	unsigned mask;
	bool certain;
	const char *what;
};

/* The one of the mask that has the greatest id. */
static size_t
greatest(const size_t *ids, unsigned mask)
{
	size_t best = nevents;

	for (size_t i = 0; i < nevents; i++)
		if ((mask >> i & 1) != 0 &&
		    (best == nevents || ids[i] > ids[best]))
			best = i;
	return best;
}

static void
check_order(const size_t *order, const struct expected *want)
{
	size_t ids[PERMUTED], winner;
	bool certain;

	/* Ids that rise with time, fall, or begin anywhere. */
	for (size_t turn = 0; turn < 2 * nevents; turn++) {
		for (size_t i = 0; i < nevents; i++) {
			size_t at = (i + turn) % nevents;

			ids[i] = turn < nevents ? at : nevents - 1 - at;
		}
		winner = ask(order, ids, &certain);
		ck_assert_msg(certain == want->certain, "%s: certain is %d",
		    want->what, certain);
		ck_assert_msg(winner == greatest(ids, want->mask),
		    "%s: event %zu wins, of mask %#x", want->what, winner,
		    want->mask);
	}
}

/* Every order of the events (Heap's algorithm). */
static void
permute(size_t *order, size_t n, const struct expected *want)
{
	if (n <= 1) {
		check_order(order, want);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t with = n % 2 == 0 ? i : 0, last;

		permute(order, n - 1, want);
		last = order[n - 1];
		order[n - 1] = order[with];
		order[with] = last;
	}
}

static void
check_all(const struct expected *want)
{
	size_t order[PERMUTED];

	ck_assert_uint_le(nevents, PERMUTED);
	for (size_t i = 0; i < nevents; i++)
		order[i] = i;
	permute(order, nevents, want);
}

/* Chains that are made. */

/* The same number is raised by each. */
static void
counting(int i)
{
	char previous[128], members[128];

	snprintf(previous, sizeof(previous), "{'quantity':%d}", i);
	snprintf(members, sizeof(members), "'quantity':%d", i + 1);
	happens(previous, members);
}

/* Each sets one more key of the metadata. */
static void
gathering(int i)
{
	char previous[128], members[256];
	size_t len = 0;

	snprintf(previous, sizeof(previous), "{'metadata':{'k%d':null}}", i);
	for (int k = 0; k <= i; k++)
		len += (size_t)snprintf(members + len, sizeof(members) - len,
		    "%s'k%d':'v'", k > 0 ? "," : "'metadata':{", k);
	snprintf(members + len, sizeof(members) - len, "}");
	happens(previous, members);
}

/* By turns two attributes, neither of which comes back to an old value. */
static void
alternating(int i)
{
	static const char *const names[] = { "status", "currency" };
	char previous[128], members[128];

	snprintf(previous, sizeof(previous), "{'%s':'%d'}", names[i % 2],
	    i / 2);
	snprintf(members, sizeof(members), "'status':'%d','currency':'%d'",
	    i / 2 + 1, (i + 1) / 2);
	happens(previous, members);
}

/* The first one, trial_will_end say, doesn't tell its past. */
static void
silent_first(int i)
{
	if (i == 0)
		happens(NULL, "'quantity':1");
	else
		counting(i);
}

/* What was there is taken away, piece by piece. */
static void
removing(int i)
{
	char previous[128], members[256] = "";
	size_t len = 0;

	snprintf(previous, sizeof(previous), "{'metadata':{'k%d':'v'}}", i);
	len = (size_t)snprintf(members, sizeof(members), "'metadata':{");
	for (int k = i + 1; k < PERMUTED; k++)
		len += (size_t)snprintf(members + len, sizeof(members) - len,
		    "%s'k%d':'v'", k > i + 1 ? "," : "", k);
	snprintf(members + len, sizeof(members) - len, "}");
	happens(previous, members);
}

static const struct maker {
	const char *what;
	void (*make)(int i);
} makers[] = {
	{ "counting", counting },
	{ "gathering", gathering },
	{ "alternating", alternating },
	{ "silent first", silent_first },
	{ "removing", removing },
};

START_TEST(chains)
{
	const struct maker *m = &makers[_i / (PERMUTED - 1)];
	int n = 2 + _i % (PERMUTED - 1);
	char what[64];
	struct expected want = { 1U << (n - 1), true, what };

	snprintf(what, sizeof(what), "%s, %d events", m->what, n);
	for (int i = 0; i < n; i++)
		m->make(i);
	check_all(&want);
}
END_TEST

/* Sets of events as they happen; mask says which may be the last. */
static const struct set {
	const char *what;
	struct {
		const char *previous, *members;
	} events[PERMUTED];
	unsigned mask;
	bool certain;
} sets[] = {
	{ "a single one", { { NULL, "'status':'active'" } }, 1, true },
	{ "two that undo each other", {
	    { "{'quantity':1}", "'quantity':2" },
	    { "{'quantity':2}", "'quantity':1" } }, 3, false },
	{ "three in a circle", {
	    { "{'quantity':1}", "'quantity':2" },
	    { "{'quantity':2}", "'quantity':3" },
	    { "{'quantity':3}", "'quantity':1" } }, 7, false },
	{ "a circle, that what comes after it doesn't leave", {
	    { "{'quantity':1}", "'quantity':2,'status':'b'" },
	    { "{'quantity':2}", "'quantity':1,'status':'b'" },
	    { "{'status':'b'}", "'status':'c','quantity':1" },
	    { "{'status':'c'}", "'status':'d','quantity':1" } }, 15, false },
	{ "a circle, left for good", {
	    { "{'quantity':1}", "'quantity':2,'status':'a'" },
	    { "{'quantity':2}", "'quantity':1,'status':'a'" },
	    { "{'quantity':1,'status':'a'}", "'quantity':9,'status':'z'" } },
	    4, true },
	{ "a circle, of which only columns that none sees differ", {
	    { "{'description':'x'}", "'description':'y'" },
	    { "{'description':'y'}", "'description':'x'" } }, 3, true },
	{ "neither knows the other", {
	    { NULL, "'quantity':1" }, { NULL, "'quantity':2" } }, 3, false },
	{ "texts of which one begins the other", {
	    { NULL, "'status':'a'" }, { NULL, "'status':'ab'" } }, 3, false },
	{ "nothing and something", {
	    { NULL, "'quantity':0" }, { NULL, "" } }, 3, false },
	{ "two strangers, and one that comes after one of them", {
	    { NULL, "'quantity':1" },
	    { "{'quantity':1}", "'quantity':2" },
	    { NULL, "'quantity':7" } }, 6, false },
	{ "the same snapshot twice", {
	    { NULL, "'quantity':1" }, { NULL, "'quantity':1" } }, 3, true },
	{ "the same snapshot, one tells its past", {
	    { "{'quantity':1}", "'quantity':2" },
	    { NULL, "'quantity':2" } }, 3, true },
	{ "the same change three times", {
	    { "{'quantity':1}", "'quantity':2" },
	    { "{'quantity':1}", "'quantity':2" },
	    { "{'quantity':1}", "'quantity':2" } }, 7, true },
	{ "identical rows at the end of a chain", {
	    { NULL, "'quantity':1" },
	    { "{'quantity':1}", "'quantity':2" },
	    { NULL, "'quantity':2" },
	    { NULL, "'quantity':2" } }, 14, true },
	{ "through another one", {
	    { NULL, "'quantity':1,'status':'a'" },
	    { "{'quantity':1}", "'quantity':2,'status':'a'" },
	    { "{'status':'a'}", "'quantity':2,'status':'b'" } }, 4, true },
	{ "an empty set says nothing", {
	    { NULL, "'quantity':1" }, { "{}", "'quantity':2" } }, 3, false },
	{ "nested: the changed key alone", {
	    { NULL, "'metadata':{'a':'1','b':'2'}" },
	    { "{'metadata':{'b':'2'}}", "'metadata':{'a':'1','b':'3'}" } },
	    2, true },
	{ "nested: an added key was null", {
	    { NULL, "'metadata':{'a':'1'}" },
	    { "{'metadata':{'b':null}}", "'metadata':{'a':'1','b':'3'}" } },
	    2, true },
	{ "nested deeper", {
	    { NULL, "'cancellation_details':{'reason':null,'x':{'y':1}}" },
	    { "{'cancellation_details':{'reason':null,'x':{'y':1}}}",
	    "'cancellation_details':{'reason':'a','x':{'y':2,'z':3}}" } },
	    2, true },
	{ "arrays are given whole", {
	    { NULL, "'items':{'data':[{'price':'p1'}]}" },
	    { "{'items':{'data':[{'price':'p1'}]}}",
	    "'items':{'data':[{'price':'p2'},{'price':'p3'}]}" } }, 2, true },
	{ "a part of an array is not the array", {
	    { NULL, "'items':{'data':[{'price':'p1','quantity':1}]}" },
	    { "{'items':{'data':[{'price':'p1'}]}}",
	    "'items':{'data':[{'price':'p2'}]}" } }, 3, false },
	{ "a missing attribute was null", {
	    { NULL, "'quantity':1" },
	    { "{'cancel_at':null}", "'quantity':1,'cancel_at':9" } },
	    2, true },
	{ "null and back to a value", {
	    { "{'cancel_at':9}", "'cancel_at':null" },
	    { "{'cancel_at':null}", "'cancel_at':8" } }, 2, true },
};

START_TEST(known_sets)
{
	const struct set *set = &sets[_i];
	struct expected want = { set->mask, set->certain, set->what };

	for (int i = 0; i < PERMUTED && set->events[i].members != NULL; i++)
		happens(set->events[i].previous, set->events[i].members);
	check_all(&want);
}
END_TEST

/* Whether previous names the state of the object. */
static const struct match {
	const char *previous, *object;
	bool follows;
} matches[] = {
	{ "null", "{'a':1}", false },
	{ "{}", "{'a':1}", false },
	{ "{}", "{}", false },
	{ "[1]", "{'a':1}", false },
	{ "{'a':1}", "{'a':1}", true },
	{ "{'a':1}", "{'a':2}", false },
	{ "{'a':1}", "{'a':1,'b':2}", true },
	{ "{'a':1,'b':2}", "{'a':1,'b':3}", false },
	{ "{'a':1}", "{'a':'1'}", false },
	{ "{'a':1}", "{'a':true}", false },
	{ "{'a':'x'}", "{'a':'X'}", false },
	{ "{'a':9223372036854775807}", "{'a':9223372036854775807}", true },
	{ "{'a':9223372036854775807}", "{'a':9223372036854775806}", false },
	{ "{'a':null}", "{'a':null}", true },
	{ "{'a':null}", "{}", true },
	{ "{'a':null}", "{'a':0}", false },
	{ "{'a':null}", "{'a':{}}", false },
	{ "{'a':0}", "{}", false },
	{ "{'a':{'b':1}}", "{'a':{'b':1,'c':2}}", true },
	{ "{'a':{'b':1}}", "{'a':{'b':2,'c':2}}", false },
	{ "{'a':{'b':null}}", "{'a':{'c':2}}", true },
	{ "{'a':{'b':null}}", "{'a':{'b':2}}", false },
	{ "{'a':{'b':1}}", "{'a':null}", false },
	{ "{'a':{'b':1}}", "{'a':[1]}", false },
	{ "{'a':{'b':{'c':1}}}", "{'a':{'b':{'c':1,'d':2}}}", true },
	{ "{'a':[1,2]}", "{'a':[1,2]}", true },
	{ "{'a':[1,2]}", "{'a':[2,1]}", false },
	{ "{'a':[1]}", "{'a':[1,2]}", false },
	{ "{'a':[{'b':1}]}", "{'a':[{'b':1,'c':2}]}", false },
	{ "{'a':[]}", "{'a':[]}", true },
	{ "{'a':[]}", "{'a':null}", false },
};

static struct json_object *
parse(const char *text)
{
	char *copy = quoted(mem_strdup(text));
	enum json_tokener_error error;
	struct json_object *json = json_tokener_parse_verbose(copy, &error);

	ck_assert_msg(error == json_tokener_success, "%s", text);
	free(copy);
	return json;
}

START_TEST(follows)
{
	const struct match *m = &matches[_i];
	struct json_object *previous = parse(m->previous);
	struct json_object *object = parse(m->object);

	ck_assert_msg(decide_follows(previous, object) == m->follows,
	    "%s, %s", m->previous, m->object);
	json_object_put(previous);
	json_object_put(object);
}
END_TEST

/* As many as are looked at, and more; forwards, backwards, mixed. */
static void
check_many(size_t n, bool certain)
{
	size_t order[MANY], ids[MANY], last = n - 1;
	bool got;

	for (size_t turn = 0; turn < 3; turn++) {
		for (size_t i = 0; i < n; i++) {
			order[i] = turn == 0 ? i : turn == 1 ? n - 1 - i :
			    i * 37 % n;
			ids[i] = (i * 11 + 5) % n;
		}
		if (n > TIED_MAX)
			for (last = 0; ids[last] != n - 1; last++)
				;
		ck_assert_uint_eq(ask(order, ids, &got), last);
		ck_assert(got == certain);
	}
}

START_TEST(as_many_as_fit)
{
	for (int i = 0; i < TIED_MAX; i++)
		counting(i);
	check_many(TIED_MAX, true);
}
END_TEST

START_TEST(too_many)
{
	for (int i = 0; i < TIED_MAX + 1; i++)
		counting(i);
	check_many(TIED_MAX + 1, false);
}
END_TEST

START_TEST(too_many_but_identical)
{
	for (int i = 0; i < TIED_MAX + 1; i++)
		happens(NULL, "'quantity':1");
	check_many(TIED_MAX + 1, true);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("decide");
	TCase *tc = tcase_create("decide");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, chains, 0, N(makers) * (PERMUTED - 1));
	tcase_add_loop_test(tc, known_sets, 0, N(sets));
	tcase_add_loop_test(tc, follows, 0, N(matches));
	tcase_add_test(tc, as_many_as_fit);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, too_many_but_identical);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
