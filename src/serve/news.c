/* Rings of keys in shared memory, and who is woken for them. */
#include "serve/news.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

enum {
	RING = 1024,			/* keys, some batches' worth */
	EARS_OF_GENERATION = 32,	/* as many as status workers may be */
	EARS = 2 * EARS_OF_GENERATION
};

struct ring {
	_Alignas(64) _Atomic uint64_t head;	/* keys ever written */
	_Atomic uint64_t key[RING];
};

struct news {
	_Atomic int32_t wanted[EARS];
	_Atomic uint32_t rings;		/* those beyond were never used */
	struct ring ring[METRICS_SLOTS];
};

struct news_ear {
	unsigned number;
	uint64_t heard[METRICS_SLOTS];	/* keys read of each ring */
};

static struct news *news;
/* Of this process, whose committers write to one ring. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static int ear_fds[EARS];

int
news_create(struct err *err)
{
	void *p = mmap(NULL, sizeof(struct news), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		err_add(err, "shared memory: mmap: %s", strerror(errno));
		return -1;
	}
	news = p;
	for (unsigned i = 0; i < EARS; i++)
		if ((ear_fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
			err_add(err, "eventfd: %s", strerror(errno));
			return -1;
		}
	return 0;
}

/* FNV-1a, 64 bits (RFC 9923). A collision costs one look in vain. */
uint64_t
news_key(const char *id)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
	return h;
}

static void
put(struct ring *ring, const char *id)
{
	uint64_t head = atomic_load_explicit(&ring->head,
	    memory_order_relaxed);

	if (id == NULL || id[0] == '\0')
		return;
	atomic_store_explicit(&ring->key[head % RING], news_key(id),
	    memory_order_relaxed);
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

static bool
anybody_listens(void)
{
	/* Who begins to wait after this look finds what was committed. */
	for (unsigned i = 0; i < EARS; i++)
		if (atomic_load(&news->wanted[i]) != 0)
			return true;
	return false;
}

static void
wake(void)
{
	const uint64_t one = 1;

	for (unsigned i = 0; i < EARS; i++)
		if (atomic_load_explicit(&news->wanted[i],
		    memory_order_relaxed) != 0 && write(ear_fds[i], &one,
		    sizeof(one)) < 0)
			continue;	/* it has not heard the last yet */
}

void
news_tell(unsigned number, struct entry *const *entries, size_t n)
{
	struct ring *ring;
	unsigned rings;

	if (news == NULL || !anybody_listens())
		return;
	ring = &news->ring[number];
	rings = atomic_load(&news->rings);
	while (rings <= number && !atomic_compare_exchange_weak(&news->rings,
	    &rings, number + 1))
		;
	pthread_mutex_lock(&writing);
	for (size_t i = 0; i < n; i++) {
		const struct entry *e = entries[i];

		if (e->out != OUT_OK)
			continue;
		put(ring, e->event->object_id);
		for (size_t k = 0; k < e->rows->nlinks; k++) {
			put(ring, e->rows->link[k].from_id);
			put(ring, e->rows->link[k].to_id);
		}
	}
	pthread_mutex_unlock(&writing);
	wake();
}

struct news_ear *
news_listen(unsigned generation, unsigned index)
{
	struct news_ear *ear = mem_calloc(1, sizeof(*ear));

	ear->number = (generation % 2) * EARS_OF_GENERATION +
	    index % EARS_OF_GENERATION;
	for (unsigned i = 0; news != NULL && i < METRICS_SLOTS; i++)
		ear->heard[i] = atomic_load(&news->ring[i].head);
	return ear;
}

void
news_ear_free(struct news_ear *ear)
{
	if (ear == NULL)
		return;
	news_wanted(ear, false);
	free(ear);
}

int
news_fd(const struct news_ear *ear)
{
	return news != NULL ? ear_fds[ear->number] : -1;
}

void
news_wanted(struct news_ear *ear, bool wanted)
{
	if (news != NULL)
		atomic_store(&news->wanted[ear->number], wanted);
}

/* Returns false if the writer was faster than we read. */
static bool
hear_ring(const struct ring *ring, uint64_t *heard,
    void (*tell)(void *arg, uint64_t key), void *arg)
{
	uint64_t head = atomic_load_explicit(&ring->head,
	    memory_order_acquire);
	uint64_t first = *heard;

	*heard = head;
	if (head - first > RING)
		return false;
	for (uint64_t i = first; i != head; i++)
		tell(arg, atomic_load_explicit(&ring->key[i % RING],
		    memory_order_relaxed));
	/* What was written meanwhile may have taken a place just read. */
	return atomic_load_explicit(&ring->head, memory_order_acquire) -
	    first <= RING;
}

bool
news_hear(struct news_ear *ear, void (*heard)(void *arg, uint64_t key),
    void *arg)
{
	unsigned rings = news != NULL ? atomic_load(&news->rings) : 0;
	uint64_t count;
	bool all = true;

	/* Emptied first: what comes from now on wakes us again. */
	if (news != NULL && read(ear_fds[ear->number], &count,
	    sizeof(count)) < 0 && errno != EAGAIN)
		all = false;
	for (unsigned i = 0; i < rings; i++)
		all &= hear_ring(&news->ring[i], &ear->heard[i], heard, arg);
	return all;
}
