/* The table of status requests, and its index by id. */
#include "serve/parked.h"

#include <stdlib.h>

#include "base/mem.h"
#include "serve/news.h"

void
parked_init(struct parked_table *t, size_t slots)
{
	TAILQ_INIT(&t->all);
	TAILQ_INIT(&t->queue);
	TAILQ_INIT(&t->ticks);
	for (t->nbuckets = 64; t->nbuckets < slots; t->nbuckets *= 2)
		;
	t->buckets = mem_calloc(t->nbuckets, sizeof(*t->buckets));
	t->n = t->waiting = 0;
}

static bool
waits(const struct parked *p)
{
	return p->ask == ASK_WAIT || p->ask == ASK_STREAM;
}

struct parked *
parked_add(struct parked_table *t, enum ask ask)
{
	struct parked *p = mem_calloc(1, sizeof(*p));

	p->conn.fd = -1;
	p->ask = ask;
	TAILQ_INSERT_TAIL(&t->all, p, all);
	t->n++;
	t->waiting += waits(p);
	return p;
}

static struct parked_bucket *
bucket(struct parked_table *t, uint64_t key)
{
	return &t->buckets[key % t->nbuckets];
}

static void
leave_queue(struct parked_table *t, struct parked *p)
{
	TAILQ_REMOVE(&t->queue, p, queue);
	t->queued--;
	t->eager -= waits(p);
	p->queued = false;
}

static void
leave_lists(struct parked_table *t, struct parked *p)
{
	for (size_t i = 0; i < PARKED_KEYS; i++)
		if (p->keys[i].owner != NULL)
			LIST_REMOVE(&p->keys[i], others);
	if (p->queued)
		leave_queue(t, p);
	if (p->ticking)
		TAILQ_REMOVE(&t->ticks, p, tick);
	TAILQ_REMOVE(&t->all, p, all);
	t->n--;
	t->waiting -= waits(p);
}

static void
release(struct parked *p)
{
	free(p->id);
	free(p->origin);
	free(p->json);
	free(p);
}

void
parked_free(struct parked_table *t)
{
	struct parked *p;

	while ((p = TAILQ_FIRST(&t->all)) != NULL) {
		TAILQ_REMOVE(&t->all, p, all);
		conn_drop(&p->conn);
		release(p);
	}
	free(t->buckets);
	t->buckets = NULL;
}

void
parked_remove(struct parked_table *t, struct parked *p)
{
	conn_drop(&p->conn);
	if (!p->gone)
		leave_lists(t, p);
	p->gone = true;
	if (!p->looking)
		release(p);
}

struct parked *
parked_take(struct parked_table *t)
{
	struct parked *p = TAILQ_FIRST(&t->queue);

	if (p == NULL)
		return NULL;
	leave_queue(t, p);
	p->looking = true;
	TAILQ_REMOVE(&t->all, p, all);
	TAILQ_INSERT_TAIL(&t->all, p, all);
	return p;
}

bool
parked_looked(struct parked_table *t, struct parked *p)
{
	bool again = p->again;

	p->looking = p->again = false;
	if (p->gone) {
		release(p);
		return false;
	}
	if (again)
		parked_queue(t, p);
	return true;
}

void
parked_follow(struct parked_table *t, struct parked *p, const char *id)
{
	uint64_t key = news_key(id);

	for (size_t i = 0; id[0] != '\0' && i < PARKED_KEYS; i++) {
		struct parked_key *k = &p->keys[i];

		if (k->owner != NULL && k->key == key)
			return;
		if (k->owner == NULL) {
			k->owner = p;
			k->key = key;
			LIST_INSERT_HEAD(bucket(t, key), k, others);
			return;
		}
	}
}

void
parked_queue(struct parked_table *t, struct parked *p)
{
	if (p->looking) {
		p->again = true;
	} else if (!p->queued) {
		p->queued = true;
		TAILQ_INSERT_TAIL(&t->queue, p, queue);
		t->queued++;
		t->eager += waits(p);
	}
}

void
parked_refresh(struct parked_table *t, size_t n)
{
	struct parked *p;

	for (p = TAILQ_FIRST(&t->all); p != NULL && n > 0;
	    p = TAILQ_NEXT(p, all), n--)
		parked_queue(t, p);
}

void
parked_news(struct parked_table *t, uint64_t key)
{
	struct parked_key *k;

	for (k = LIST_FIRST(bucket(t, key)); k != NULL;
	    k = LIST_NEXT(k, others))
		if (k->key == key)
			parked_queue(t, k->owner);
}
