/* The turn is one worker's at a time, never for long, and survives its death. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "serve/turn.h"

enum { CHILDREN = 4, ROUNDS = 200 };

static struct shared { int inside, together, done; } *shared;

static void
setup(void)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(turn_create(&err), 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
}

/* A process that has the turn when this returns, and keeps it. */
static pid_t
holder(void)
{
	int ready[2];
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	if ((pid = fork()) == 0) {
		if (turn_begin() && write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

START_TEST(free_at_once)
{
	bool ours = turn_begin();

	ck_assert(ours);
	turn_end(ours);
	ours = turn_begin();
	ck_assert(ours);
	turn_end(ours);
}
END_TEST

START_TEST(patience_ends)
{
	pid_t pid = holder();
	int64_t begin = clock_ms();
	bool ours = turn_begin();

	ck_assert(!ours);
	ck_assert_int_ge(clock_ms() - begin, 2);
	/* What isn't ours stays the other's. */
	turn_end(ours);
	ck_assert(!turn_begin());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(freed_by_death)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid = holder();

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		ck_assert(turn_begin());
		turn_end(true);
	}
}
END_TEST

static void
take_turns(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		bool ours = turn_begin();

		if (!ours)
			continue;
		if (__atomic_add_fetch(&shared->inside, 1,
		    __ATOMIC_SEQ_CST) > 1)
			__atomic_add_fetch(&shared->together, 1,
			    __ATOMIC_SEQ_CST);
		usleep(50);
		__atomic_sub_fetch(&shared->inside, 1, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&shared->done, 1, __ATOMIC_SEQ_CST);
		turn_end(ours);
	}
}

START_TEST(one_at_a_time)
{
	for (int i = 0; i < CHILDREN; i++)
		if (fork() == 0) {
			take_turns();
			_exit(0);
		}
	for (int i = 0; i < CHILDREN; i++)
		wait(NULL);
	ck_assert_int_eq(shared->together, 0);
	ck_assert_int_gt(shared->done, ROUNDS);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("turn");
	TCase *tc = tcase_create("turn");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, free_at_once);
	tcase_add_test(tc, patience_ends);
	tcase_add_test(tc, freed_by_death);
	tcase_add_test(tc, one_at_a_time);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed > 0;
}
