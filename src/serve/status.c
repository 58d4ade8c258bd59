/*
 * The story of a status request: accept -> authorise -> look -> tell, or wait
 * for news and look again. The first thread serves and never asks the database;
 * the watcher does. What waits costs a descriptor and some hundred bytes.
 */
#include "serve/status.h"

#include <errno.h>
#include <obstack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/gate.h"
#include "http/reply.h"
#include "http/request.h"
#include "serve/routes.h"
#include "serve/status_int.h"

enum {
	IDLE_MS = 1000,		/* between signs of life */
	SWEEP_MS = 250,		/* between ends of waits */
	ROUND_MS = 2000,	/* in which all who wait are looked at */
	SLICE_MS = 50,		/* between slices of a round, */
	SLICE_MIN = 125,	/* of so many at least, if there are */
	LINGER_MS = 5000,	/* for the last looks, at the end */
	DOOR_MS = 10,		/* that new ones wait who must wait anyway */
	ACCEPTS = 64,		/* in a row */
	EVENTS = 256,
	BODY_MAX = 4096		/* no route here takes one */
};

/* What epoll tells of; waiting requests are told of by their own address. */
enum source {
	SOURCE_LISTENER, SOURCE_GATE, SOURCE_WATCHER, SOURCE_NEWS, SOURCE__MAX
};

struct loop {
	struct status s;
	FCGX_Request fcgi;
	struct obstack mem;
	char sources[SOURCE__MAX];	/* their addresses are the names */
	int64_t door_ms;		/* when the listener is heard again;
					   0: it is */
	int64_t sweep_ms;		/* when the next is due */
	int64_t slice_ms;		/* when one may be due */
	int64_t last_slice_ms;
};

/* Serves one connection. Returns false if there was none. */
static bool
accept_one(struct loop *l)
{
	struct request req;
	enum outcome out;
	void *base;

	if (request_accept(&l->fcgi) != 0)
		return false;
	base = obstack_alloc(&l->mem, 1);
	worker_beat(ACCEPTOR, STAGE_READING);
	out = request_read(&req, &l->fcgi, &l->mem, BODY_MAX);
	if (out == OUT_OK) {
		routes_serve(&l->s, &l->fcgi, &req);
	} else {
		metrics_outcome(out);
		(void)reply_outcome(&l->fcgi, out, "");
	}
	obstack_free(&l->mem, base);
	return true;
}

static int
listen_to(struct loop *l, int fd, enum source source, uint32_t events)
{
	struct epoll_event event = { .events = events,
	    .data.ptr = &l->sources[source] };

	if (epoll_ctl(l->s.epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	log_line(LOG_ERR, "epoll: %s", strerror(errno));
	return -1;
}

/* The listener is shared: one worker is woken, not all of them. */
static int
open_door(struct loop *l)
{
	l->door_ms = clock_ms() + IDLE_MS;	/* should it fail */
	if (listen_to(l, l->s.worker->fd, SOURCE_LISTENER,
	    EPOLLIN | EPOLLEXCLUSIVE) != 0)
		return -1;
	l->door_ms = 0;
	return 0;
}

/*
 * While no look is due, new ones gather outside: to be woken for each costs
 * more than to serve it.
 */
static void
close_door(struct loop *l)
{
	int64_t now_ms = clock_ms(), until = now_ms + DOOR_MS;

	if (l->door_ms != 0 || now_ms >= l->s.look_ms ||
	    epoll_ctl(l->s.epoll, EPOLL_CTL_DEL, l->s.worker->fd, NULL) != 0)
		return;
	l->door_ms = until < l->s.look_ms ? until : l->s.look_ms;
}

/* At the end, too: who came before it is served. */
static bool
door_opens(struct loop *l, enum worker_next next)
{
	return l->door_ms != 0 &&
	    (next == WORKER_END || clock_ms() >= l->door_ms) &&
	    open_door(l) == 0;
}

static void
accept_some(struct loop *l)
{
	for (int i = 0; i < ACCEPTS && accept_one(l); i++)
		;
	close_door(l);
}

static void
heard(void *arg, uint64_t key)
{
	parked_news(arg, key);
}

static void
hear_news(struct loop *l)
{
	if (news_hear(l->s.ear, heard, &l->s.table))
		return;
	metrics_add(METRIC_NEWS_OVERRUN, 1);
	parked_refresh(&l->s.table, l->s.table.n);
}

static void
act(struct loop *l, const struct epoll_event *event)
{
	char *source = event->data.ptr;

	if (source == &l->sources[SOURCE_LISTENER] ||
	    source == &l->sources[SOURCE_GATE])
		accept_some(l);
	else if (source == &l->sources[SOURCE_WATCHER])
		status_looked(&l->s);
	else if (source == &l->sources[SOURCE_NEWS])
		hear_news(l);
	else
		status_abandon(&l->s, event->data.ptr);
}

/* Those first that end a request: it may have no other event after that. */
static void
act_on_all(struct loop *l)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(l->s.epoll, events, EVENTS, 0);

	for (int i = 0; i < n; i++)
		if ((char *)events[i].data.ptr < l->sources ||
		    (char *)events[i].data.ptr >= l->sources + SOURCE__MAX)
			act(l, &events[i]);
	for (int i = 0; i < n; i++)
		if ((char *)events[i].data.ptr >= l->sources &&
		    (char *)events[i].data.ptr < l->sources + SOURCE__MAX)
			act(l, &events[i]);
}

/* "pending" is told on its tick. */
static void
tick(struct status *s, int64_t now_ms)
{
	struct parked *p;

	while ((p = TAILQ_FIRST(&s->table.ticks)) != NULL &&
	    p->tick_ms <= now_ms) {
		TAILQ_REMOVE(&s->table.ticks, p, tick);
		p->ticking = false;
		status_tell(s, p, now_ms);
	}
}

/* Ends waits that are over. */
static void
sweep(struct loop *l, int64_t now_ms)
{
	struct parked *p, *next;

	if (now_ms < l->sweep_ms)
		return;
	l->sweep_ms = now_ms + SWEEP_MS;
	for (p = TAILQ_FIRST(&l->s.table.all); p != NULL; p = next) {
		next = TAILQ_NEXT(p, all);
		if (now_ms >= p->end_ms)
			status_tell(&l->s, p, now_ms);
	}
}

/* Workers take turns: two slices at a time would leave no processor free. */
static int64_t
next_slice(const struct loop *l, int64_t now_ms)
{
	const struct worker *w = l->s.worker;
	int64_t turn = SLICE_MS * w->index / w->cfg->status_workers;

	return now_ms + SLICE_MS - (now_ms - turn) % SLICE_MS;
}

/*
 * Wants a look for those whose turn it is: what other hosts committed is found
 * so. All of them at once would keep the processors from the deliveries.
 */
static void
refresh(struct loop *l, int64_t now_ms)
{
	int64_t n = (int64_t)l->s.table.waiting;
	int64_t due = n * (now_ms - l->last_slice_ms) / ROUND_MS;

	if (now_ms < l->slice_ms)
		return;
	l->slice_ms = next_slice(l, now_ms);
	if (due < SLICE_MIN && due < n)
		return;
	l->last_slice_ms = now_ms;
	parked_refresh(&l->s.table, (size_t)(due < n ? due : n));
}

static int
wait_ms(const struct loop *l)
{
	const struct parked *first = TAILQ_FIRST(&l->s.table.ticks);
	int64_t now = clock_ms(), until = now + IDLE_MS;

	if (!l->s.busy && l->s.table.queued > 0 && l->s.look_ms < until)
		until = l->s.look_ms;
	if (l->s.table.waiting > 0 && l->slice_ms < until)
		until = l->slice_ms;
	if (first != NULL && first->tick_ms < until)
		until = first->tick_ms;
	if (l->door_ms != 0 && l->door_ms < until)
		until = l->door_ms;
	return until > now ? (int)(until - now) : 0;
}

static void
serve(struct loop *l)
{
	struct worker epolled = *l->s.worker;
	enum worker_next next;
	int64_t now_ms;

	epolled.fd = l->s.epoll;
	do {
		worker_beat(ACCEPTOR, STAGE_WAITING);
		next = worker_wait(&epolled, wait_ms(l), true);
		log_hold();
		if (next == WORKER_ACCEPT || door_opens(l, next))
			act_on_all(l);
		now_ms = clock_ms();
		tick(&l->s, now_ms);
		sweep(l, now_ms);
		refresh(l, now_ms);
		news_wanted(l->s.ear, l->s.table.waiting > 0);
		status_look(&l->s);
		metrics_set(METRIC_PARKED, l->s.table.waiting);
		metrics_set(METRIC_IN_FLIGHT,
		    l->s.table.n - l->s.table.waiting);
		log_flush();
	} while (next != WORKER_END);
}

/*
 * Nobody new comes: who waits is sent off, to come back to another worker; who
 * polls is still answered.
 */
static void
drain(struct loop *l)
{
	int64_t until = clock_ms() + LINGER_MS;
	struct parked *p, *next;
	struct epoll_event event;

	l->s.leaving = true;
	worker_beat(ACCEPTOR, STAGE_DRAINING);
	for (p = TAILQ_FIRST(&l->s.table.all); p != NULL; p = next) {
		next = TAILQ_NEXT(p, all);
		if (p->ask == ASK_WAIT || p->ask == ASK_STREAM)
			status_send_off(&l->s, p);
	}
	epoll_ctl(l->s.epoll, EPOLL_CTL_DEL, l->s.worker->fd, NULL);
	while ((l->s.table.n > 0 || l->s.busy) && clock_ms() < until) {
		status_look(&l->s);
		if (epoll_wait(l->s.epoll, &event, 1, 10) > 0)
			act(l, &event);
		tick(&l->s, clock_ms());
	}
	while ((p = TAILQ_FIRST(&l->s.table.all)) != NULL)
		status_refuse(&l->s, p, OUT_NOT_READY);
}

static int
set_up(struct loop *l, const struct worker *w)
{
	l->s.worker = w;
	l->s.cfg = w->cfg;
	if (request_init(&l->fcgi, w->fd) != 0) {
		log_line(LOG_ERR, "libfcgi can't be set up");
		return -1;
	}
	obstack_init(&l->mem);
	parked_init(&l->s.table, (size_t)w->cfg->status_slots);
	l->s.ear = news_listen(w->generation, w->index);
	l->s.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->s.epoll < 0 || (l->s.watcher = watcher_new(w->cfg,
	    w->index)) == NULL ||
	    open_door(l) != 0 ||
	    listen_to(l, gate_fd(), SOURCE_GATE, EPOLLIN) != 0 ||
	    listen_to(l, watcher_fd(l->s.watcher), SOURCE_WATCHER,
	    EPOLLIN) != 0)
		return -1;
	return news_fd(l->s.ear) < 0 ? 0 :
	    listen_to(l, news_fd(l->s.ear), SOURCE_NEWS, EPOLLIN);
}

static void
clean_up(struct loop *l)
{
	watcher_free(l->s.watcher);
	news_ear_free(l->s.ear);
	parked_free(&l->s.table);
	free(l->s.job.lookups);
	free(l->s.asked);
	close(l->s.epoll);
	obstack_free(&l->mem, NULL);
}

int
status_run(const struct worker *w)
{
	struct loop *l = mem_calloc(1, sizeof(*l));

	if (set_up(l, w) != 0)
		return EX_OSERR;
	metrics_own->ready_ms = clock_ms();
	serve(l);
	metrics_own->ready_ms = 0;
	drain(l);
	clean_up(l);
	free(l);
	return EX_OK;
}
