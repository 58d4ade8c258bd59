/*
 * The way of the slots: last in, first out when they are free, first in, first
 * out when they are queued, and none is lost between two threads.
 */
#include <obstack.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/queue.h"
#include "suite.h"

enum {
	SLOTS = 6,
	MANY = 40,		/* enough for helpers */
	PLENTY = 16,		/* what they wait for */
	NO_LIMIT = 1 << 20,	/* bytes */
	EVENTS = 20000		/* of the test with threads */
};

static struct queue *queue;
static struct slot *slots[SLOTS];

static void
setup(void)
{
	queue = queue_new(SLOTS);
	ck_assert_ptr_nonnull(queue);
}

static void
teardown(void)
{
	queue_free(queue);
	queue_free(NULL);
}

static void
get_all(void)
{
	for (size_t i = 0; i < SLOTS; i++) {
		slots[i] = queue_get(queue, 0);
		ck_assert_ptr_nonnull(slots[i]);
		for (size_t k = 0; k < i; k++)
			ck_assert_ptr_ne(slots[i], slots[k]);
	}
	ck_assert_ptr_null(queue_get(queue, 0));
}

static void
push(size_t i, size_t payload_len)
{
	slots[i]->entry.payload_len = payload_len;
	queue_push(queue, slots[i]);
}

START_TEST(as_many_as_there_are)
{
	get_all();
	for (size_t i = 0; i < SLOTS; i++)
		queue_put(queue, slots[i]);
	get_all();
}
END_TEST

/* The memory that was used last is warm. */
START_TEST(last_freed_first_used)
{
	get_all();
	queue_put(queue, slots[2]);
	queue_put(queue, slots[4]);
	ck_assert_ptr_eq(queue_get(queue, 0), slots[4]);
	ck_assert_ptr_eq(queue_get(queue, 0), slots[2]);
	ck_assert_ptr_null(queue_get(queue, 0));
}
END_TEST

START_TEST(oldest_first)
{
	struct slot *out[SLOTS];

	get_all();
	for (size_t i = 0; i < SLOTS; i++)
		push(i, 1);
	ck_assert_uint_eq(queue_take(queue, out, 2, NO_LIMIT, 0), 2);
	ck_assert_ptr_eq(out[0], slots[0]);
	ck_assert_ptr_eq(out[1], slots[1]);
	/* What comes meanwhile goes behind. */
	push(0, 1);
	ck_assert_uint_eq(queue_take(queue, out, SLOTS, NO_LIMIT, 0), 5);
	for (size_t i = 0; i < 4; i++)
		ck_assert_ptr_eq(out[i], slots[i + 2]);
	ck_assert_ptr_eq(out[4], slots[0]);
	ck_assert_uint_eq(queue_take(queue, out, SLOTS, NO_LIMIT, 0), 0);
	/* It can be filled again after it was empty. */
	push(3, 1);
	ck_assert_uint_eq(queue_take(queue, out, SLOTS, NO_LIMIT, 0), 1);
	ck_assert_ptr_eq(out[0], slots[3]);
}
END_TEST

/* payload lengths, the limit in bytes, and how many are taken. */
static const struct limit {
	size_t lengths[SLOTS], bytes, n;
} limits[] = {
	{ { 10, 10, 10, 10, 10, 10 }, 60, 6 },
	{ { 10, 10, 10, 10, 10, 10 }, 59, 5 },
	{ { 10, 10, 10, 10, 10, 10 }, 20, 2 },
	{ { 10, 10, 10, 10, 10, 10 }, 19, 1 },
	/* The first is taken whatever its size, or it never would be. */
	{ { 10, 10, 10, 10, 10, 10 }, 5, 1 },
	{ { 99, 1, 1, 1, 1, 1 }, 10, 1 },
	{ { 99, 0, 0, 0, 0, 0 }, 0, 1 },
	{ { 1, 99, 1, 1, 1, 1 }, 10, 1 },
	{ { 0, 0, 0, 0, 0, 0 }, 0, 6 },
};

START_TEST(bytes_of_a_batch)
{
	const struct limit *c = &limits[_i];
	struct slot *out[SLOTS];
	size_t n;

	get_all();
	for (size_t i = 0; i < SLOTS; i++)
		push(i, c->lengths[i]);
	n = queue_take(queue, out, SLOTS, c->bytes, 0);
	ck_assert_uint_eq(n, c->n);
	/* The others are still there, and in order. */
	ck_assert_uint_eq(queue_take(queue, out, SLOTS, NO_LIMIT, 0),
	    SLOTS - n);
	for (size_t i = 0; i < SLOTS - n; i++)
		ck_assert_ptr_eq(out[i], slots[n + i]);
}
END_TEST

START_TEST(end)
{
	struct slot *out[SLOTS];

	get_all();
	ck_assert(!queue_done(queue));
	push(0, 1);
	push(1, 1);
	queue_close(queue);
	/* What was pushed is still taken. */
	ck_assert(!queue_done(queue));
	ck_assert_uint_eq(queue_take(queue, out, 1, NO_LIMIT, 0), 1);
	ck_assert(!queue_done(queue));
	ck_assert_uint_eq(queue_take(queue, out, SLOTS, NO_LIMIT, 0), 1);
	ck_assert(queue_done(queue));
	/* And nobody waits for more. */
	ck_assert_uint_eq(queue_take(queue, out, SLOTS, NO_LIMIT, 60000), 0);
}
END_TEST

START_TEST(time_limits)
{
	struct slot *out[SLOTS];
	int64_t start = clock_ms();

	ck_assert_uint_eq(queue_take(queue, out, SLOTS, NO_LIMIT, 60), 0);
	ck_assert_int_ge(clock_ms() - start, 59);
	get_all();
	start = clock_ms();
	ck_assert_ptr_null(queue_get(queue, 1060));
	ck_assert_int_ge(clock_ms() - start, 1059);
	ck_assert_int_lt(clock_ms() - start, 10000);
}
END_TEST

/* A slot that comes back knows nothing of its last delivery. */
START_TEST(empty_again)
{
	static const char body[] = "{\"id\":\"evt_1\",\"object\":\"event\","
	    "\"type\":\"x.y\",\"created\":1,\"livemode\":false,"
	    "\"data\":{\"object\":{\"id\":\"pi_1\"}}}";
	struct slot *slot = queue_get(queue, 0);
	const char *why;

	for (int i = 0; i < 1000; i++) {
		slot->entry.payload = obstack_alloc(&slot->mem, 100000);
		slot->entry.payload_len = 100000;
		slot->rows.n = 7;
		ck_assert(event_parse(&slot->event, &slot->mem, body,
		    sizeof(body) - 1, &why) == OUT_OK);
		if (i % 2 == 0) {
			slot_reset(slot);
		} else {
			queue_put(queue, slot);
			ck_assert_ptr_eq(queue_get(queue, 0), slot);
		}
		ck_assert_ptr_null(slot->entry.payload);
		ck_assert_uint_eq(slot->entry.payload_len, 0);
		ck_assert_ptr_null(slot->event.id);
		ck_assert_ptr_null(slot->event.root);
		ck_assert_uint_eq(slot->rows.n, 0);
	}
	ck_assert_uint_lt(obstack_memory_used(&slot->mem), 1000000);
}
END_TEST

/* Two threads, as in a worker. */

static atomic_int in_flight, most;

/* The committer: takes batches, answers, gives the slots back. */
static void *
commit(void *arg)
{
	size_t *sum = arg, n;
	int64_t expected = 1;
	struct slot *batch[SLOTS];

	while (!queue_done(queue)) {
		n = queue_take(queue, batch, 4, 300, 50);
		for (size_t i = 0; i < n; i++) {
			/* In the order in which they came. */
			if (batch[i]->entry.received_us != expected++)
				abort();
			*sum += (size_t)batch[i]->entry.received_us;
			atomic_fetch_sub(&in_flight, 1);
			queue_put(queue, batch[i]);
		}
	}
	return NULL;
}

START_TEST(none_is_lost)
{
	size_t sum = 0;
	int64_t pushed = 0;
	pthread_t committer;

	ck_assert_int_eq(pthread_create(&committer, NULL, commit, &sum), 0);
	while (pushed < EVENTS) {
		struct slot *slot = queue_get(queue, 2000);
		int n;

		ck_assert_ptr_nonnull(slot);
		/* Some are refused by the acceptor itself. */
		if (rand() % 8 == 0) {
			queue_put(queue, slot);
			continue;
		}
		slot->entry.payload = obstack_alloc(&slot->mem, 64);
		slot->entry.payload_len = (size_t)(rand() % 200);
		slot->entry.received_us = ++pushed;
		n = atomic_fetch_add(&in_flight, 1) + 1;
		if (n > atomic_load(&most))
			atomic_store(&most, n);
		queue_push(queue, slot);
	}
	queue_close(queue);
	ck_assert_int_eq(pthread_join(committer, NULL), 0);
	ck_assert_uint_eq(sum, (size_t)EVENTS * (EVENTS + 1) / 2);
	ck_assert_int_eq(atomic_load(&in_flight), 0);
	ck_assert_int_le(atomic_load(&most), SLOTS);
	get_all();
}
END_TEST

static void *
close_soon(void *arg)
{
	(void)arg;
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	queue_close(queue);
	return NULL;
}

/* Who waits for work hears at once that there will be none. */
START_TEST(end_wakes)
{
	struct slot *out[SLOTS];
	int64_t start = clock_ms();
	pthread_t closer;

	ck_assert_int_eq(pthread_create(&closer, NULL, close_soon, NULL), 0);
	ck_assert_uint_eq(queue_take(queue, out, SLOTS, NO_LIMIT, 30000), 0);
	ck_assert_int_lt(clock_ms() - start, 10000);
	ck_assert_int_eq(pthread_join(closer, NULL), 0);
	ck_assert(queue_done(queue));
}
END_TEST

static void *
put_soon(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	queue_put(queue, arg);
	return NULL;
}

/* As who waits for a slot that one came back. */
START_TEST(slot_wakes)
{
	int64_t start = clock_ms();
	pthread_t putter;

	get_all();
	ck_assert_int_eq(pthread_create(&putter, NULL, put_soon, slots[3]), 0);
	ck_assert_ptr_eq(queue_get(queue, 30000), slots[3]);
	ck_assert_int_lt(clock_ms() - start, 10000);
	ck_assert_int_eq(pthread_join(putter, NULL), 0);
}
END_TEST

/* A helper takes nothing but what is worth a batch. */
START_TEST(plenty)
{
	struct slot *out[MANY], *slot;
	struct queue *many = queue_new(MANY);

	queue_call(many, true);
	for (size_t i = 0; i < PLENTY; i++) {
		ck_assert_uint_eq(queue_help(many, out, MANY, NO_LIMIT, 0), 0);
		slot = queue_get(many, 0);
		ck_assert_ptr_nonnull(slot);
		slot->entry.payload_len = 1;
		queue_push(many, slot);
	}
	ck_assert_uint_eq(queue_help(many, out, 5, NO_LIMIT, 0), 5);
	ck_assert_uint_eq(queue_help(many, out + 5, MANY, NO_LIMIT, 0), 0);
	/* The end is worth it, too. */
	queue_close(many);
	ck_assert_uint_eq(queue_help(many, out + 5, MANY, NO_LIMIT, 0),
	    PLENTY - 5);
	ck_assert(queue_done(many));
	for (size_t i = 0; i < PLENTY; i++)
		queue_put(many, out[i]);
	queue_free(many);
}
END_TEST

static void *
push_plenty_soon(void *arg)
{
	struct queue *many = arg;

	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	queue_call(many, true);
	for (size_t i = 0; i < PLENTY; i++)
		queue_push(many, queue_get(many, 0));
	return NULL;
}

/* Who waits to be called, and then for work, hears of both at once. */
START_TEST(call_wakes)
{
	struct slot *out[MANY];
	struct queue *many = queue_new(MANY);
	int64_t start = clock_ms();
	pthread_t pusher;

	ck_assert(!queue_called(many, 0));
	ck_assert_int_eq(pthread_create(&pusher, NULL, push_plenty_soon,
	    many), 0);
	ck_assert(queue_called(many, 30000));
	ck_assert_uint_eq(queue_help(many, out, MANY, NO_LIMIT, 30000),
	    PLENTY);
	ck_assert_int_lt(clock_ms() - start, 10000);
	ck_assert_int_eq(pthread_join(pusher, NULL), 0);
	for (size_t i = 0; i < PLENTY; i++)
		queue_put(many, out[i]);
	queue_call(many, false);
	ck_assert(!queue_called(many, 0));
	queue_close(many);
	ck_assert(!queue_called(many, 30000));
	ck_assert_int_lt(clock_ms() - start, 20000);
	queue_free(many);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue");
	TCase *tc = tcase_create("queue");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, as_many_as_there_are);
	tcase_add_test(tc, last_freed_first_used);
	tcase_add_test(tc, oldest_first);
	tcase_add_loop_test(tc, bytes_of_a_batch, 0,
	    (int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_test(tc, end);
	tcase_add_test(tc, time_limits);
	tcase_add_test(tc, empty_again);
	tcase_add_test(tc, none_is_lost);
	tcase_add_test(tc, end_wakes);
	tcase_add_test(tc, slot_wakes);
	tcase_add_test(tc, plenty);
	tcase_add_test(tc, call_wakes);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
