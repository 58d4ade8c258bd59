/* The scoreboard: what workers count, what is made of it, and whose it is. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/metrics.h"
#include "suite.h"

static char dir[64], path[sizeof(dir) + 16];
static struct err err;
static char *text;

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_metrics.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/scoreboard", dir);
	err_reset(&err);
	ck_assert_int_eq(metrics_create(path, &err), 0);
}

static void
teardown(void)
{
	free(text);
	text = NULL;
	remove(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

/* What a worker of that slot and pool does from now on. */
static void
become(unsigned slot, enum pool pool)
{
	metrics_own = metrics_slot(slot);
	metrics_own->pool = (int32_t)pool;
	metrics_own->pid = getpid();
}

static void
print(void)
{
	size_t len;
	FILE *out;

	free(text);
	out = open_memstream(&text, &len);
	metrics_print(out);
	ck_assert_int_eq(fclose(out), 0);
}

static void
ck_line(const char *line)
{
	ck_assert_msg(strstr(text, line) != NULL, "no '%s' in: %s", line,
	    text);
}

START_TEST(summed_over_slots)
{
	become(0, POOL_INGEST);
	metrics_add(METRIC_BYTES_IN, 5);
	metrics_outcome(OUT_OK);
	metrics_outcome(OUT_MISMATCH);
	become(7, POOL_INGEST);
	metrics_add(METRIC_BYTES_IN, 6);
	metrics_outcome(OUT_OK);
	metrics_own->ready_ms = 1;
	become(METRICS_SLOTS - 1, POOL_STATUS);
	metrics_outcome(OUT_OK);
	ck_assert_uint_eq(metrics_sum(METRIC_BYTES_IN), 11);
	ck_assert_uint_eq(metrics_live(POOL_INGEST, false), 2);
	ck_assert_uint_eq(metrics_live(POOL_INGEST, true), 1);
	ck_assert_uint_eq(metrics_live(POOL_STATUS, false), 1);
	print();
	ck_line("\nstripehook_requests_total{pool=\"ingest\",outcome="
	    "\"processed\",status=\"200\"} 2\n");
	ck_line("\nstripehook_requests_total{pool=\"status\",outcome="
	    "\"processed\",status=\"200\"} 1\n");
	ck_line("\nstripehook_verification_failures_total{reason=\"mismatch\""
	    "} 1\n");
	ck_line("\nstripehook_workers{pool=\"ingest\"} 2\n");
}
END_TEST

/* Counters stay when a worker goes; what it had in hand goes with it. */
START_TEST(death)
{
	become(3, POOL_INGEST);
	metrics_own->ready_ms = 1;
	metrics_add(METRIC_BYTES_IN, 5);
	metrics_set(METRIC_IN_FLIGHT, 9);
	ck_assert_uint_eq(metrics_sum(METRIC_IN_FLIGHT), 9);
	metrics_clear_gauges(metrics_own);
	ck_assert_uint_eq(metrics_sum(METRIC_IN_FLIGHT), 0);
	ck_assert_uint_eq(metrics_sum(METRIC_BYTES_IN), 5);
	ck_assert_uint_eq(metrics_live(POOL_INGEST, false), 0);
}
END_TEST

/* The newest of all workers counts, not their sum. */
START_TEST(last_verified)
{
	become(1, POOL_INGEST);
	metrics_set(METRIC_LAST_VERIFIED, 1700000009);
	become(2, POOL_INGEST);
	metrics_set(METRIC_LAST_VERIFIED, 1700000001);
	ck_assert_uint_eq(metrics_sum(METRIC_LAST_VERIFIED), 1700000009);
}
END_TEST

START_TEST(secrets)
{
	become(1, POOL_INGEST);
	metrics_secret_matched(11, 100);
	metrics_secret_matched(12, 200);
	metrics_secret_matched(11, 300);
	become(2, POOL_INGEST);
	metrics_secret_matched(12, 250);
	ck_assert_int_eq(metrics_secret_last(11), 300);
	ck_assert_int_eq(metrics_secret_last(12), 250);
	ck_assert_int_eq(metrics_secret_last(13), 0);
	/* More than there is room for are not noted. */
	for (uint64_t d = 20; d < 20 + METRICS_SECRETS; d++)
		metrics_secret_matched(d, 400);
	ck_assert_int_eq(metrics_secret_last(20 + METRICS_SECRETS - 2), 400);
	ck_assert_int_eq(metrics_secret_last(20 + METRICS_SECRETS - 1), 0);
	ck_assert_int_eq(metrics_secret_last(12), 250);
}
END_TEST

/* Each value is in the buckets of its bound and of all greater ones. */
START_TEST(histograms)
{
	become(1, POOL_INGEST);
	metrics_observe(HIST_BATCH, 1);
	metrics_observe(HIST_BATCH, 2);
	become(2, POOL_INGEST);
	metrics_observe(HIST_BATCH, 3);
	metrics_observe(HIST_BATCH, UINT64_C(1) << 40);
	metrics_observe(HIST_REQUEST, 250);
	metrics_observe(HIST_REQUEST, 251);
	print();
	ck_line("\nstripehook_batch_events_bucket{le=\"1\"} 1\n");
	ck_line("\nstripehook_batch_events_bucket{le=\"2\"} 2\n");
	ck_line("\nstripehook_batch_events_bucket{le=\"4\"} 3\n");
	ck_line("\nstripehook_batch_events_bucket{le=\"16384\"} 3\n");
	ck_line("\nstripehook_batch_events_bucket{le=\"+Inf\"} 4\n");
	ck_line("\nstripehook_batch_events_count 4\n");
	ck_line("_request_duration_seconds_bucket{le=\"0.00025\"} 1\n");
	ck_line("_request_duration_seconds_bucket{le=\"0.0005\"} 2\n");
	ck_line("_request_duration_seconds_sum 0.000501\n");
}
END_TEST

/* A tool sees what workers count, and can't change it. */
START_TEST(opened_by_another)
{
	int status;
	pid_t pid;

	become(1, POOL_INGEST);
	metrics_add(METRIC_BYTES_IN, 5);
	if ((pid = fork()) == 0) {
		signal(SIGSEGV, SIG_DFL);	/* a sanitizer has its own */
		if (metrics_open(path, &err) != 0 ||
		    metrics_open(path, &err) != 0 ||
		    metrics_sum(METRIC_BYTES_IN) != 5)
			_exit(1);
		metrics_own = metrics_slot(1);
		metrics_add(METRIC_BYTES_IN, 1);
		_exit(2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	    "status %#x", (unsigned)status);
	ck_assert_uint_eq(metrics_sum(METRIC_BYTES_IN), 5);
}
END_TEST

/* Draining workers still have the old one. */
START_TEST(made_anew)
{
	struct metrics_slot *old = metrics_slot(1);

	become(1, POOL_INGEST);
	metrics_add(METRIC_BYTES_IN, 5);
	ck_assert_int_eq(metrics_create(path, &err), 0);
	ck_assert_uint_eq(metrics_sum(METRIC_BYTES_IN), 0);
	old->metric[METRIC_BYTES_IN] = 8;
	ck_assert_uint_eq(metrics_sum(METRIC_BYTES_IN), 0);
}
END_TEST

static void
ck_refused(const char *name, const char *why)
{
	become(1, POOL_INGEST);
	metrics_set(METRIC_IN_FLIGHT, 4);
	ck_assert_int_eq(metrics_open(name, &err), -1);
	ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
	/* The one that was open stays. */
	ck_assert_uint_eq(metrics_sum(METRIC_IN_FLIGHT), 4);
}

START_TEST(no_scoreboard)
{
	char name[sizeof(path) + 8];

	snprintf(name, sizeof(name), "%s.none", path);
	ck_refused(name, "scoreboard.none: No such file or directory");
	err_reset(&err);
	ck_assert_int_eq(metrics_create("/nowhere/scoreboard", &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text,
	    "scoreboard /nowhere/scoreboard: No such file"));
	err_reset(&err);
	ck_assert_int_eq(metrics_create(dir, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "Is a directory"));
}
END_TEST

START_TEST(of_another_version)
{
	FILE *f = fopen(path, "r+");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(putc('?', f), '?');
	ck_assert_int_eq(fclose(f), 0);
	ck_refused(path, "written by another version");
	ck_assert_int_eq(truncate(path, 100), 0);
	err_reset(&err);
	ck_assert_int_eq(metrics_open(path, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "written by another version"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, summed_over_slots);
	tcase_add_test(tc, death);
	tcase_add_test(tc, last_verified);
	tcase_add_test(tc, secrets);
	tcase_add_test(tc, histograms);
	tcase_add_test(tc, opened_by_another);
	tcase_add_test(tc, made_anew);
	tcase_add_test(tc, no_scoreboard);
	tcase_add_test(tc, of_another_version);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
