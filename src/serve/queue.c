/* Slots, their free list, and the queue to the committer. */
#include "serve/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/metrics.h"

enum {
	/* Holds an ordinary event and its rows: most need no second one. */
	SLOT_CHUNK = 16384,
	PLENTY = 16		/* slots, for which a helper writes a batch */
};

struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t freed;	/* a slot came back */
	pthread_cond_t pushed;	/* there is work, or the end */
	pthread_cond_t plenty;	/* there is work for a helper, or the end */
	pthread_cond_t call;	/* helpers are called, or the end */
	bool called;
	struct slot *slots;
	size_t n, nfree, nqueued;
	struct slot *free;	/* last in, first out: the warmest memory */
	struct slot *head, **tail;
	bool closed;
};

static void
cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	/* Time-outs must not jump with the wall clock. */
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

struct queue *
queue_new(size_t n)
{
	struct queue *q = mem_calloc(1, sizeof(*q));

	pthread_mutex_init(&q->mutex, NULL);
	cond_init(&q->freed);
	cond_init(&q->pushed);
	cond_init(&q->plenty);
	cond_init(&q->call);
	q->slots = mem_calloc(n, sizeof(*q->slots));
	q->tail = &q->head;
	for (; q->n < n; q->n++, q->nfree++) {
		struct slot *slot = &q->slots[q->n];

		slot->next = q->free;
		q->free = slot;
	}
	return q;
}

void
queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	for (size_t i = 0; i < q->n; i++)
		if (q->slots[i].mem_base != NULL)
			obstack_free(&q->slots[i].mem, NULL);
	pthread_mutex_destroy(&q->mutex);
	pthread_cond_destroy(&q->freed);
	pthread_cond_destroy(&q->pushed);
	pthread_cond_destroy(&q->plenty);
	pthread_cond_destroy(&q->call);
	free(q->slots);
	free(q);
}

/* Waits on cond until the deadline that wait_ms from the first call gives. */
static bool
wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex,
    struct timespec *deadline, unsigned wait_ms)
{
	if (wait_ms == 0)
		return false;
	if (deadline->tv_sec == 0) {
		clock_gettime(CLOCK_MONOTONIC, deadline);
		deadline->tv_sec += wait_ms / 1000;
		deadline->tv_nsec += (long)(wait_ms % 1000) * 1000000;
		if (deadline->tv_nsec >= 1000000000) {
			deadline->tv_sec++;
			deadline->tv_nsec -= 1000000000;
		}
	}
	return pthread_cond_timedwait(cond, mutex, deadline) == 0;
}

static void
count(const struct queue *q)
{
	size_t taken = q->n - q->nfree;

	/* One of them is the acceptor's own, which waits for a connection. */
	metrics_set(METRIC_IN_FLIGHT, taken > 0 ? taken - 1 : 0);
	metrics_set(METRIC_QUEUED, q->nqueued);
}

struct slot *
queue_get(struct queue *q, unsigned wait_ms)
{
	struct timespec deadline = { 0, 0 };
	struct slot *slot;

	pthread_mutex_lock(&q->mutex);
	while (q->free == NULL &&
	    wait_until(&q->freed, &q->mutex, &deadline, wait_ms))
		;
	if ((slot = q->free) != NULL) {
		q->free = slot->next;
		q->nfree--;
		count(q);
	}
	pthread_mutex_unlock(&q->mutex);
	if (slot != NULL && slot->mem_base == NULL) {
		obstack_begin(&slot->mem, SLOT_CHUNK);
		slot->mem_base = obstack_alloc(&slot->mem, 1);
	}
	return slot;
}

void
slot_reset(struct slot *slot)
{
	event_drop_json(&slot->event);
	obstack_free(&slot->mem, slot->mem_base);
	slot->mem_base = obstack_alloc(&slot->mem, 1);
	memset(&slot->entry, 0, sizeof(slot->entry));
	memset(&slot->event, 0, sizeof(slot->event));
	slot->rows = (struct rows){ .n = 0 };
}

void
queue_put(struct queue *q, struct slot *slot)
{
	slot_reset(slot);
	pthread_mutex_lock(&q->mutex);
	slot->next = q->free;
	q->free = slot;
	q->nfree++;
	count(q);
	pthread_cond_signal(&q->freed);
	pthread_mutex_unlock(&q->mutex);
}

void
queue_push(struct queue *q, struct slot *slot)
{
	pthread_mutex_lock(&q->mutex);
	slot->next = NULL;
	*q->tail = slot;
	q->tail = &slot->next;
	q->nqueued++;
	count(q);
	pthread_cond_signal(&q->pushed);
	if (q->called && q->nqueued >= PLENTY)
		pthread_cond_signal(&q->plenty);
	pthread_mutex_unlock(&q->mutex);
}

/* With the mutex held. */
static size_t
take(struct queue *q, struct slot **out, size_t max, size_t bytes)
{
	size_t n = 0, total = 0;

	while (q->head != NULL && n < max) {
		total += q->head->entry.payload_len;
		if (n > 0 && total > bytes)
			break;
		out[n++] = q->head;
		q->head = q->head->next;
		q->nqueued--;
	}
	if (q->head == NULL)
		q->tail = &q->head;
	count(q);
	return n;
}

size_t
queue_take(struct queue *q, struct slot **out, size_t max, size_t bytes,
    unsigned wait_ms)
{
	struct timespec deadline = { 0, 0 };
	size_t n;

	pthread_mutex_lock(&q->mutex);
	while (q->head == NULL && !q->closed &&
	    wait_until(&q->pushed, &q->mutex, &deadline, wait_ms))
		;
	n = take(q, out, max, bytes);
	pthread_mutex_unlock(&q->mutex);
	return n;
}

bool
queue_has(struct queue *q, size_t n)
{
	bool has;

	pthread_mutex_lock(&q->mutex);
	has = q->nqueued >= n;
	pthread_mutex_unlock(&q->mutex);
	return has;
}

void
queue_call(struct queue *q, bool called)
{
	pthread_mutex_lock(&q->mutex);
	if (called && !q->called)
		pthread_cond_broadcast(&q->call);
	q->called = called;
	pthread_mutex_unlock(&q->mutex);
}

bool
queue_called(struct queue *q, unsigned wait_ms)
{
	struct timespec deadline = { 0, 0 };
	bool called;

	pthread_mutex_lock(&q->mutex);
	while (!q->called && !q->closed &&
	    wait_until(&q->call, &q->mutex, &deadline, wait_ms))
		;
	called = q->called;
	pthread_mutex_unlock(&q->mutex);
	return called;
}

size_t
queue_help(struct queue *q, struct slot **out, size_t max, size_t bytes,
    unsigned wait_ms)
{
	struct timespec deadline = { 0, 0 };
	size_t n = 0;

	pthread_mutex_lock(&q->mutex);
	while (q->nqueued < PLENTY && !q->closed &&
	    wait_until(&q->plenty, &q->mutex, &deadline, wait_ms))
		;
	if (q->nqueued >= PLENTY || q->closed)
		n = take(q, out, max, bytes);
	pthread_mutex_unlock(&q->mutex);
	return n;
}

void
queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->mutex);
	q->closed = true;
	pthread_cond_broadcast(&q->pushed);
	pthread_cond_broadcast(&q->plenty);
	pthread_cond_broadcast(&q->call);
	pthread_mutex_unlock(&q->mutex);
}

bool
queue_done(struct queue *q)
{
	bool done;

	pthread_mutex_lock(&q->mutex);
	done = q->closed && q->head == NULL;
	pthread_mutex_unlock(&q->mutex);
	return done;
}
