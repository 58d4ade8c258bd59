/* Whose turn it is to take what comes, and who steps in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/metrics.h"
#include "serve/turn.h"
#include "serve/worker.h"
#include "suite.h"

enum { A = 1, B = 3, C = 7, NOW_MS = 1000 * TURN_MS };

static char dir[64], path[sizeof(dir) + 16];

/* A worker that serves and has nothing to do. */
static void
serve(unsigned number, enum pool pool)
{
	struct metrics_slot *slot = metrics_slot(number);

	slot->pid = getpid();
	slot->pool = (int32_t)pool;
	slot->ready_ms = 1;
	slot->metric[METRIC_DB_UP] = 1;
	slot->beat_ms[ACCEPTOR] = slot->beat_ms[COMMITTER] = NOW_MS;
}

static void
setup(void)
{
	struct err err = ERR_INIT;

	snprintf(dir, sizeof(dir), "/tmp/test_turn.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/scoreboard", dir);
	ck_assert_int_eq(metrics_create(path, &err), 0);
	serve(0, POOL_STATUS);
	serve(A, POOL_INGEST);
	serve(B, POOL_INGEST);
}

static void
teardown(void)
{
	remove(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

/* At that turn these workers, and no others, take what comes. */
static void
ck_takers(int turn, const char *takers)
{
	char found[8] = "";

	for (unsigned i = 0; i < METRICS_SLOTS; i++)
		if (metrics_slot(i)->pool == POOL_INGEST &&
		    metrics_slot(i)->ready_ms != 0 &&
		    turn_takes(i, NOW_MS + (int64_t)turn * TURN_MS, NOW_MS))
			strcat(found, i == A ? "A" : i == B ? "B" : "C");
	ck_assert_str_eq(found, takers);
}

START_TEST(one_after_another)
{
	ck_takers(0, "A");
	ck_takers(1, "B");
	ck_takers(2, "A");
	ck_assert(turn_takes(A, NOW_MS + TURN_MS - 1, NOW_MS));
	ck_assert(!turn_takes(A, NOW_MS + TURN_MS, NOW_MS));
	serve(C, POOL_INGEST);
	ck_takers(2, "A");
	ck_takers(3, "B");
	ck_takers(4, "C");
}
END_TEST

START_TEST(alone)
{
	metrics_clear_gauges(metrics_slot(B));
	ck_takers(0, "A");
	ck_takers(1, "A");
}
END_TEST

/* What keeps a worker from taking what comes; and none of them at all. */
static void die(struct metrics_slot *s) { metrics_clear_gauges(s); }
static void retire(struct metrics_slot *s) { s->ready_ms = 0; }
static void no_database(struct metrics_slot *s)
    { s->metric[METRIC_DB_UP] = 0; }
static void acceptor_hangs(struct metrics_slot *s)
    { s->beat_ms[ACCEPTOR] = NOW_MS - 201; }
static void committer_hangs(struct metrics_slot *s)
    { s->beat_ms[COMMITTER] = NOW_MS - 1501; }
static void full(struct metrics_slot *s)
    { s->metric[METRIC_IN_FLIGHT] = 128; }
static void pressed(struct metrics_slot *s) { s->pressed = 1; }
static void helped(struct metrics_slot *s)
    { s->metric[METRIC_HELPERS] = 3; }

static const struct {
	void (*happens)(struct metrics_slot *s);
	const char *takers;	/* when it happens to A, in A's turn */
	const char *both;	/* when it happens to B, too */
} faults[] = {
	{ die, "B", "" },
	{ retire, "B", "" },
	/* Who can't write leaves it to who can; if nobody can, all refuse. */
	{ no_database, "B", "AB" },
	{ acceptor_hangs, "B", "AB" },
	{ committer_hangs, "B", "AB" },
	/* Who is busy goes on, and is helped. */
	{ full, "AB", "AB" },
	{ pressed, "AB", "AB" },
	{ helped, "AB", "AB" },
};

START_TEST(stepped_in_for)
{
	faults[_i].happens(metrics_slot(A));
	ck_takers(0, faults[_i].takers);
	ck_takers(1, "B");
	faults[_i].happens(metrics_slot(B));
	ck_takers(0, faults[_i].both);
}
END_TEST

START_TEST(just_not_yet)
{
	metrics_slot(A)->beat_ms[ACCEPTOR] = NOW_MS - 200;
	metrics_slot(A)->beat_ms[COMMITTER] = NOW_MS - 1500;
	metrics_slot(A)->metric[METRIC_IN_FLIGHT] = 127;
	ck_takers(0, "A");
}
END_TEST

/* With one worker nobody is asked. */
START_TEST(ours)
{
	metrics_clear_gauges(metrics_slot(B));
	ck_assert(turn_is_ours(A));
	ck_assert_int_gt(turn_left_ms(), 0);
	ck_assert_int_le(turn_left_ms(), TURN_MS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("turn");
	TCase *tc = tcase_create("turn");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_after_another);
	tcase_add_test(tc, alone);
	tcase_add_loop_test(tc, stepped_in_for, 0,
	    (int)(sizeof(faults) / sizeof(faults[0])));
	tcase_add_test(tc, just_not_yet);
	tcase_add_test(tc, ours);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
