/*
 * A store that keeps nothing and says yes at once: stripehookd linked with it
 * (bench-nodb) shows what the path costs without its database. It takes the
 * place of store/batch.c at link time, so that no setting can switch it on.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/batch.h"

enum { BATCH_BYTES = 8 << 20 };	/* half of max_allowed_packet's default */

struct store {
	bool connected;
};

struct store *
store_new(const struct config *cfg, size_t cap, unsigned first)
{
	(void)cfg;
	(void)cap;
	(void)first;
	return mem_calloc(1, sizeof(struct store));
}

void
store_free(struct store *store)
{
	free(store);
}

int
store_connect(struct store *store, struct err *err, struct err *notes)
{
	(void)err;
	err_add(notes, "this is a program to measure with: it stores nothing");
	store->connected = true;
	return 0;
}

bool
store_connected(const struct store *store)
{
	return store->connected;
}

void
store_disconnect(struct store *store)
{
	store->connected = false;
}

void
store_ping(struct store *store)
{
	(void)store;
}

int64_t
store_commit_ms(const struct store *store)
{
	(void)store;
	return 0;
}

void
store_meanwhile(struct store *store, void (*fn)(void *arg), void *arg)
{
	(void)store;
	(void)fn;
	(void)arg;
}

size_t
store_batch_bytes(const struct store *store)
{
	(void)store;
	return BATCH_BYTES;
}

bool
store_is_unsafe(const struct store *store)
{
	(void)store;
	return false;
}

void
store_write(struct store *store, struct entry **e, size_t n, struct err *err)
{
	(void)store;
	(void)e;
	(void)n;
	(void)err;
}

void
store_replay(struct store *store, struct entry **e, size_t n, struct err *err)
{
	store_write(store, e, n, err);
}

void
store_watch(struct store *store, int64_t now_ms)
{
	(void)store;
	(void)now_ms;
}
