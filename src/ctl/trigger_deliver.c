/* Delivers events by libcurl, several at once from one thread. */
#include "ctl/trigger_deliver.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ctl/trigger_plan.h"
#include "ctl/trigger_post.h"

enum {
	TRIES = 7,		/* of a delivery: some 13 s of back-off */
	BACKOFF_MS = 200,	/* doubled each time */
	RETRY_AFTER_MAX = 5,	/* seconds: Retry-After up to this */
	POLL_MS = 1000,
	PROGRESS_MS = 200
};

/* A delivery under way, or waiting to be tried again. */
struct slot {
	struct post post;
	struct plan_event *ev;	/* NULL: free */
	bool running;
	int tries;
	int64_t again_ms;
};

struct delivery {
	struct deliver_result *result;
	struct plan *plan;
	const struct deliver_options *opt;
	CURLM *multi;
	struct curl_slist *headers;
	struct slot *slots;
	size_t nslots, running;
	bool ended;		/* nothing new is to be delivered */
	bool hopeless;		/* nor anything again */
	int64_t start_ms, shown_ms;
};

static void
start(struct delivery *d, struct slot *slot)
{
	post_prepare(&slot->post, &slot->ev->ev, d->opt, d->headers);
	if (curl_multi_add_handle(d->multi, slot->post.easy) != CURLM_OK)
		abort();
	slot->running = true;
	slot->tries++;
	d->running++;
}

/* Milliseconds until the rate allows one more delivery; 0: now. */
static int64_t
must_wait(const struct delivery *d, int64_t now)
{
	double due;

	if (d->opt->rate <= 0)
		return 0;
	due = (double)d->result->deliveries * 1000 / d->opt->rate;
	if ((double)(now - d->start_ms) >= due)
		return 0;
	return (int64_t)(due - (double)(now - d->start_ms)) + 1;
}

/* Starts what may start; returns milliseconds until something else may. */
static int
fill(struct delivery *d)
{
	int64_t now = clock_ms(), wait = POLL_MS, rest;

	for (struct slot *s = d->slots; s < d->slots + d->nslots; s++) {
		if (s->running)
			continue;
		if (s->ev == NULL && !d->ended &&
		    (rest = must_wait(d, now)) > 0) {
			wait = rest < wait ? rest : wait;
			continue;
		}
		if (s->ev == NULL && !d->ended) {
			s->ev = plan_next(d->plan);
			s->tries = 0;
			s->again_ms = now;
			d->result->deliveries += s->ev != NULL;
			d->ended = s->ev == NULL;
		}
		if (s->ev == NULL)
			continue;
		if (s->again_ms <= now)
			start(d, s);
		else if (s->again_ms - now < wait)
			wait = s->again_ms - now;
	}
	return (int)wait;
}

static void
release(struct slot *slot)
{
	plan_release(slot->ev);
	slot->ev = NULL;
}

/* Nobody is there: there is no point in going on. */
static void
give_up(struct delivery *d, struct slot *slot, CURLcode code)
{
	struct deliver_result *r = d->result;

	if (r->unreachable[0] == '\0')
		snprintf(r->unreachable, sizeof(r->unreachable), "%s",
		    curl_easy_strerror(code));
	r->failed++;
	d->ended = d->hopeless = true;
	release(slot);
	for (struct slot *s = d->slots; s < d->slots + d->nslots; s++)
		if (s->ev != NULL && !s->running) {
			r->failed++;
			release(s);
		}
}

static void
try_again(struct delivery *d, struct slot *slot)
{
	curl_off_t after = 0;
	int64_t wait = (int64_t)BACKOFF_MS << (slot->tries - 1);

	curl_easy_getinfo(slot->post.easy, CURLINFO_RETRY_AFTER, &after);
	if (after > RETRY_AFTER_MAX)
		after = RETRY_AFTER_MAX;
	if (after * 1000 > wait)
		wait = after * 1000;
	slot->again_ms = clock_ms() + wait;
	d->result->retries++;
}

/* An answer that says: later. */
static bool
is_busy(long status)
{
	return status == 503 || status == 502 || status == 504 ||
	    status == 429;
}

static bool
answered_any(const struct deliver_result *r)
{
	for (size_t i = 0; i < STATUS_MAX; i++)
		if (r->answered[i] > 0)
			return true;
	return r->retries > 0;
}

static void
finish(struct delivery *d, struct slot *slot, CURLcode code)
{
	struct deliver_result *r = d->result;
	long status = 0;

	slot->running = false;
	d->running--;
	curl_easy_getinfo(slot->post.easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK) {
		if (slot->tries < TRIES && answered_any(r) && !d->hopeless)
			try_again(d, slot);
		else
			give_up(d, slot, code);
		return;
	}
	if (is_busy(status) && slot->tries < TRIES && !d->hopeless) {
		try_again(d, slot);
		return;
	}
	r->answered[status > 0 && status < STATUS_MAX ? status : 0]++;
	if (status < 200 || status > 299) {
		r->failed++;
		if (r->refusal[0] == '\0')
			snprintf(r->refusal, sizeof(r->refusal), "%s",
			    slot->post.answer);
	}
	release(slot);
}

/* Whether any did. */
static bool
collect_ended(struct delivery *d)
{
	CURLMsg *msg;
	char *slot;
	bool any = false;
	int left;

	while ((msg = curl_multi_info_read(d->multi, &left)) != NULL) {
		CURL *easy = msg->easy_handle;
		CURLcode code = msg->data.result;

		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
		curl_multi_remove_handle(d->multi, easy);
		finish(d, (struct slot *)(void *)slot, code);
		any = true;
	}
	return any;
}

static bool
is_waiting(const struct delivery *d)
{
	for (size_t i = 0; i < d->nslots; i++)
		if (d->slots[i].ev != NULL)
			return true;
	return false;
}

static void
show_progress(struct delivery *d, bool last)
{
	int64_t now = clock_ms();

	if (!isatty(STDERR_FILENO) ||
	    (!last && now - d->shown_ms < PROGRESS_MS))
		return;
	d->shown_ms = now;
	fprintf(stderr, last ? "\r\033[K" : "\r%3.0f %%  %" PRIu64
	    " deliveries, %.0f/s\033[K", plan_done(d->plan) * 100,
	    d->result->deliveries, (double)d->result->deliveries * 1000 /
	    (double)(now - d->start_ms + 1));
}

static void
run(struct delivery *d)
{
	int wait, running;

	while (wait = fill(d), !d->ended || is_waiting(d)) {
		if (curl_multi_perform(d->multi, &running) != CURLM_OK)
			abort();
		if (collect_ended(d))
			wait = 0;
		show_progress(d, false);
		if (curl_multi_poll(d->multi, NULL, 0, wait, NULL) !=
		    CURLM_OK)
			abort();
	}
	show_progress(d, true);
}

void
deliver(struct deliver_result *result, struct plan *plan,
    const struct target *target, const struct deliver_options *opt)
{
	struct delivery d = { .result = result, .plan = plan, .opt = opt,
	    .multi = curl_multi_init(), .headers = post_headers(),
	    .nslots = (size_t)opt->connections, .start_ms = clock_ms() };

	if (d.multi == NULL)
		abort();
	*result = (struct deliver_result){ .deliveries = 0 };
	d.slots = mem_calloc(d.nslots, sizeof(*d.slots));
	for (size_t i = 0; i < d.nslots; i++)
		post_init(&d.slots[i].post, target, &d.slots[i]);
	run(&d);
	result->seconds = (double)(clock_ms() - d.start_ms + 1) / 1000;
	for (size_t i = 0; i < d.nslots; i++)
		curl_easy_cleanup(d.slots[i].post.easy);
	curl_multi_cleanup(d.multi);
	curl_slist_free_all(d.headers);
	free(d.slots);
}
