/* Requests that wait, and the news that reach them. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "serve/news.h"
#include "serve/parked.h"
#include "stripe/event.h"
#include "stripe/mapping.h"
#include "suite.h"

static struct parked_table table;

static void
make_table(void)
{
	parked_init(&table, 8);
}

static void
free_table(void)
{
	parked_free(&table);
}

static struct parked *
park(const char *id)
{
	struct parked *p = parked_add(&table, ASK_STREAM);

	p->id = mem_strdup(id);
	parked_follow(&table, p, id);
	return p;
}

static struct parked *
take(void)
{
	return parked_take(&table);
}

START_TEST(news_of_an_id)
{
	struct parked *a = park("pi_a"), *b = park("pi_b"), *c = park("pi_a");

	parked_news(&table, news_key("pi_none"));
	ck_assert_ptr_null(take());
	parked_news(&table, news_key("pi_a"));
	parked_news(&table, news_key("pi_a"));
	ck_assert(a->queued && c->queued && !b->queued);
	ck_assert(take() != NULL && take() != NULL && take() == NULL);
	a->looking = c->looking = false;
	parked_follow(&table, b, "in_b");
	parked_news(&table, news_key("in_b"));
	ck_assert_ptr_eq(take(), b);
	b->looking = false;
}
END_TEST

START_TEST(news_while_in_hand)
{
	struct parked *p = park("pi_a");

	parked_queue(&table, p);
	ck_assert_ptr_eq(take(), p);
	parked_news(&table, news_key("pi_a"));
	ck_assert_ptr_null(take());
	ck_assert(parked_looked(&table, p));
	ck_assert_ptr_eq(take(), p);
	ck_assert(parked_looked(&table, p));
	ck_assert_ptr_null(take());
}
END_TEST

START_TEST(gone_while_in_hand)
{
	struct parked *p = park("pi_a");

	parked_queue(&table, p);
	ck_assert_ptr_eq(take(), p);
	parked_remove(&table, p);
	ck_assert_uint_eq(table.n, 0);
	ck_assert_uint_eq(table.waiting, 0);
	parked_news(&table, news_key("pi_a"));
	ck_assert_ptr_null(take());
	ck_assert(!parked_looked(&table, p));
}
END_TEST

START_TEST(many)
{
	enum { MANY = 1000 };
	static struct parked *p[MANY];
	char id[32];
	int found = 0;

	for (int i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "pi_%d", i / 2);
		p[i] = park(id);
	}
	for (int i = 0; i < MANY; i += 2)
		parked_remove(&table, p[i]);
	ck_assert_uint_eq(table.waiting, MANY / 2);
	for (int i = 0; i < MANY / 2; i++) {
		snprintf(id, sizeof(id), "pi_%d", i);
		parked_news(&table, news_key(id));
	}
	for (struct parked *q; (q = take()) != NULL; found++)
		q->looking = false;
	ck_assert_int_eq(found, MANY / 2);
}
END_TEST

/* All who want a look get it; returns how many. */
static int
look(void)
{
	int n = 0;

	for (struct parked *p; (p = take()) != NULL; n++)
		ck_assert(parked_looked(&table, p));
	return n;
}

START_TEST(who_had_no_look_for_longest)
{
	struct parked *a = park("pi_a"), *b = park("pi_b"), *c = park("pi_c");

	parked_refresh(&table, 0);
	ck_assert_int_eq(look(), 0);
	parked_refresh(&table, 2);
	ck_assert(a->queued && b->queued && !c->queued);
	ck_assert_int_eq(look(), 2);
	parked_news(&table, news_key("pi_c"));
	ck_assert_int_eq(look(), 1);
	parked_refresh(&table, 1);
	ck_assert(a->queued && !b->queued && !c->queued);
	parked_refresh(&table, 9);
	parked_refresh(&table, 9);
	ck_assert_int_eq(look(), 3);
}
END_TEST

/*
 * Nobody waits longer for a look than as many slices as all who were there when
 * he came, or had his last look, fill.
 */
START_TEST(everybody_in_turn)
{
	enum { MANY = 500, SLICE = 7, SLICES = 2000 };
	static struct { struct parked *p; size_t before; } who[MANY];
	size_t next;

	srand(1);
	for (int i = 0; i < SLICES; i++) {
		for (int k = 0; k < 5; k++) {
			next = (size_t)rand() % MANY;
			if (who[next].p != NULL) {
				parked_remove(&table, who[next].p);
				who[next].p = NULL;
			} else {
				who[next].before = table.n;
				who[next].p = park("pi_a");
			}
		}
		parked_refresh(&table, SLICE);
		for (size_t k = 0; k < MANY; k++) {
			if (who[k].p == NULL)
				continue;
			if (who[k].p->queued)
				who[k].before = table.n;
			else if (who[k].before >= SLICE)
				who[k].before -= SLICE;
			else
				ck_abort_msg("%zu waits in slice %d", k, i);
		}
		(void)look();
	}
}
END_TEST

static uint64_t heard_keys[4096];
static size_t nheard;

static void
heard(void *arg, uint64_t key)
{
	ck_assert_ptr_eq(arg, &table);
	heard_keys[nheard++ % 4096] = key;
}

static bool
hear(struct news_ear *ear)
{
	nheard = 0;
	return news_hear(ear, heard, &table);
}

static bool
woken(const struct news_ear *ear)
{
	struct pollfd p = { .fd = news_fd(ear), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* In a process of its own, as an ingest worker. */
static void
tell(unsigned number, const char *id, enum outcome out, int times)
{
	struct event event = { .object_id = id };
	struct link link = { "in_linked", "pi_linked", "invoice.payment" };
	struct rows rows = { .link = &link, .nlinks = 1 };
	struct entry entry = { .event = &event, .rows = &rows, .out = out };
	struct entry *entries[] = { &entry };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		for (int i = 0; i < times; i++)
			news_tell(number, entries, 1);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(news_between_processes)
{
	struct err err = ERR_INIT;
	struct news_ear *a, *b;

	ck_assert_int_eq(news_create(&err), 0);
	a = news_listen(1, 0);
	b = news_listen(2, 0);
	tell(3, "pi_nobody_waits", OUT_OK, 1);
	ck_assert(!woken(a) && hear(a) && nheard == 0);

	news_wanted(a, true);
	tell(3, "pi_a", OUT_OK, 1);
	tell(200, "pi_b", OUT_OK, 1);
	tell(3, "pi_failed", OUT_DB_DOWN, 1);
	tell(3, "pi_again", OUT_DUPLICATE, 1);
	ck_assert(woken(a));
	ck_assert(!woken(b));
	ck_assert(hear(a));
	ck_assert_uint_eq(nheard, 6);
	ck_assert_uint_eq(heard_keys[0], news_key("pi_a"));
	ck_assert_uint_eq(heard_keys[1], news_key("in_linked"));
	ck_assert_uint_eq(heard_keys[2], news_key("pi_linked"));
	ck_assert_uint_eq(heard_keys[3], news_key("pi_b"));
	ck_assert(!woken(a));
	ck_assert(hear(a) && nheard == 0);

	/* More than a ring holds: said, and then it goes on. */
	tell(3, "pi_flood", OUT_OK, 400);
	ck_assert(!hear(a));
	tell(3, "pi_c", OUT_OK, 1);
	ck_assert(hear(a));
	ck_assert_uint_eq(heard_keys[0], news_key("pi_c"));
	news_ear_free(a);
	tell(3, "pi_d", OUT_OK, 1);
	ck_assert(!woken(b));
	news_ear_free(b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("parked");
	TCase *t = tcase_create("parked"), *n = tcase_create("news");

	tcase_add_checked_fixture(t, make_table, free_table);
	tcase_add_test(t, news_of_an_id);
	tcase_add_test(t, news_while_in_hand);
	tcase_add_test(t, gone_while_in_hand);
	tcase_add_test(t, many);
	tcase_add_test(t, who_had_no_look_for_longest);
	tcase_add_test(t, everybody_in_turn);
	tcase_add_test(n, news_between_processes);
	suite_add_tcase(s, t);
	suite_add_tcase(s, n);
	return suite_run(s);
}
