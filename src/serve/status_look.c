/* Who wants a look at the database, and what it brought. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/routes.h"
#include "serve/status_int.h"

enum {
	LOOK_MAX = 2000,	/* in one job, so that new ones wait little */
	PLENTY = 48,		/* that don't wait for the moment's end */
	MOMENT_LOOKS = 10,	/* it is as long as so many: looks take the
				   processor from deliveries */
	MOMENT_MIN_MS = 4,
	MOMENT_MAX_MS = 40
};

static void
make_room(struct status *s, size_t n)
{
	if (n <= s->room)
		return;
	s->room = 2 * n;
	s->asked = mem_reallocarray(s->asked, s->room, sizeof(*s->asked));
	s->job.lookups = mem_reallocarray(s->job.lookups, s->room,
	    sizeof(*s->job.lookups));
}

static bool
is_due(const struct status *s, int64_t now_ms)
{
	return now_ms >= s->look_ms || s->table.queued >= PLENTY ||
	    (s->job.n >= PLENTY && s->table.eager > 0);
}

void
status_look(struct status *s)
{
	int64_t now_ms = clock_ms();
	struct parked *p;

	if (s->busy || s->table.queued == 0 || !is_due(s, now_ms))
		return;
	s->job.n = 0;
	s->job.ready = false;
	while (s->job.n < LOOK_MAX &&
	    (p = parked_take(&s->table)) != NULL) {
		if (p->ask == ASK_READY) {
			s->job.ready = true;
			continue;
		}
		make_room(s, s->job.n + 1);
		s->asked[s->job.n] = p;
		/* Nobody changes these while the watcher reads them. */
		s->job.lookups[s->job.n] = (struct lookup){ .kind = p->kind,
		    .id = p->id, .credential = &p->credential };
		s->job.n++;
	}
	s->busy = true;
	s->began_ms = now_ms;
	watcher_start(s->watcher, &s->job);
}

/* The answer as p's own; its ETag is a hash of it. */
static void
adopt(struct status *s, struct parked *p, struct lookup *l)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];

	p->out = l->out;
	p->final = l->final;
	p->pending = l->pending;
	parked_follow(&s->table, p, l->pays);
	if (p->json != NULL && strcmp(p->json, l->json) == 0)
		return;
	free(p->json);
	p->json = l->json;
	l->json = NULL;
	SHA256((const unsigned char *)p->json, strlen(p->json), hash);
	for (size_t i = 0; i < ETAG_LEN / 2; i++)
		snprintf(p->etag + 2 * i, 3, "%02x", hash[i]);
}

/* p has its answer from here on; only the first may have to wait. */
static void
learn(struct status *s, struct parked *p, struct lookup *l, int64_t now_ms)
{
	if (p->json == NULL)
		while (p->tick_ms <= now_ms)
			p->tick_ms += TICK_MS;
	adopt(s, p, l);
	if (p->out != OUT_OK && now_ms < p->tick_ms && !p->ticking) {
		p->ticking = true;
		TAILQ_INSERT_TAIL(&s->table.ticks, p, tick);
	}
}

/* Who was answered before goes on waiting when the database is away. */
static void
looked(struct status *s, struct parked *p, struct lookup *l, int64_t now_ms)
{
	if (!parked_looked(&s->table, p))
		return;
	if (s->job.out == OUT_OK)
		learn(s, p, l, now_ms);
	if (p->json == NULL)
		status_refuse(s, p, s->job.out);
	else
		status_tell(s, p, now_ms);
}

/* All who asked before the job began. */
static void
tell_ready(struct status *s)
{
	struct parked *p, *next;

	for (p = TAILQ_FIRST(&s->table.all); p != NULL; p = next) {
		next = TAILQ_NEXT(p, all);
		if (p->ask == ASK_READY && p->looking &&
		    parked_looked(&s->table, p))
			routes_tell_ready(s, p, &s->job.why_not);
	}
}

static int64_t
moment_ms(int64_t took_ms)
{
	int64_t ms = took_ms * MOMENT_LOOKS;

	return ms < MOMENT_MIN_MS ? MOMENT_MIN_MS :
	    ms > MOMENT_MAX_MS ? MOMENT_MAX_MS : ms;
}

void
status_looked(struct status *s)
{
	int64_t now_ms = clock_ms();

	if (watcher_done(s->watcher) == NULL)
		return;
	s->busy = false;
	s->look_ms = now_ms + moment_ms(now_ms - s->began_ms);
	if (s->job.ready)
		tell_ready(s);
	for (size_t i = 0; i < s->job.n; i++)
		looked(s, s->asked[i], &s->job.lookups[i], now_ms);
	if (s->job.out == OUT_OK)
		lookup_free(s->job.lookups, s->job.n);
}
