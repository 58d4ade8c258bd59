/*
 * Delivers stories: each one's events in order, with pauses that stand for
 * hours and days, several stories at once from one thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ctl/demo_int.h"
#include "ctl/trigger_deliver.h"
#include "ctl/trigger_post.h"
#include "stripe/sample.h"

enum {
	PLAYS = 16,		/* stories at once */
	TRIES = 20,		/* of a delivery */
	AGAIN_MS = 500,
	IDLE_MS = 60000
};

struct play {
	struct post post;
	struct sample_events events;	/* none: free */
	size_t next;
	int64_t due_ms;
	bool running;
	int tries;
};

struct player {
	CURLM *multi;
	struct curl_slist *headers;
	struct play plays[PLAYS];
	char fault[ANSWER_MAX + 64];
};

/* From so many seconds of Stripe's on, so long for who watches. */
static const struct {
	int64_t seconds;
	int ms;
} paces[] = {
	{ 86400, 3000 },
	{ 20, 2000 },
	{ 1, 1200 },
};

static bool
of_catalogue(const char *type)
{
	return strncmp(type, "product.", 8) == 0 ||
	    strncmp(type, "price.", 6) == 0 ||
	    strncmp(type, "plan.", 5) == 0;
}

int
player_pause(const struct sample_events *events, size_t i)
{
	const struct sample_event *ev = &events->list[i];

	/* The shop had its products long before. */
	if (i + 1 == events->n || of_catalogue(ev->type))
		return 0;
	for (size_t k = 0; k < sizeof(paces) / sizeof(paces[0]); k++)
		if (ev[1].created - ev->created >= paces[k].seconds)
			return paces[k].ms;
	return 0;
}

struct player *
player_new(const struct target *target)
{
	struct player *p = mem_calloc(1, sizeof(*p));

	if ((p->multi = curl_multi_init()) == NULL)
		abort();
	p->headers = post_headers();
	for (size_t i = 0; i < PLAYS; i++)
		post_init(&p->plays[i].post, target, &p->plays[i]);
	return p;
}

void
player_free(struct player *p)
{
	if (p == NULL)
		return;
	for (struct play *play = p->plays; play < p->plays + PLAYS; play++) {
		if (play->running)
			curl_multi_remove_handle(p->multi, play->post.easy);
		curl_easy_cleanup(play->post.easy);
		sample_events_free(&play->events);
	}
	curl_multi_cleanup(p->multi);
	curl_slist_free_all(p->headers);
	free(p);
}

bool
player_add(struct player *p, struct sample_events *events)
{
	struct play *play = p->plays;

	while (play < p->plays + PLAYS && play->events.n > 0)
		play++;
	if (play == p->plays + PLAYS)
		return false;
	play->events = *events;
	play->next = 0;
	play->tries = 0;
	play->due_ms = clock_ms();
	*events = (struct sample_events){ .list = NULL };
	return true;
}

static void
start(struct player *p, struct play *play, const struct deliver_options *sign)
{
	post_prepare(&play->post, &play->events.list[play->next], sign,
	    p->headers);
	if (curl_multi_add_handle(p->multi, play->post.easy) != CURLM_OK)
		abort();
	play->running = true;
	play->tries++;
}

/* Starts what is due; returns the milliseconds until something will be. */
static int
start_due(struct player *p, const struct deliver_options *sign)
{
	int64_t now = clock_ms(), wait = IDLE_MS;

	for (struct play *play = p->plays; play < p->plays + PLAYS; play++) {
		if (play->events.n == 0 || play->running)
			continue;
		if (play->due_ms <= now)
			start(p, play, sign);
		else if (play->due_ms - now < wait)
			wait = play->due_ms - now;
	}
	return (int)wait;
}

/* The story ends here: what follows makes no sense without this event. */
static void
give_up(struct player *p, struct play *play, const char *why)
{
	const struct sample_event *ev = &play->events.list[play->next];

	snprintf(p->fault, sizeof(p->fault), "%s was not delivered: %s",
	    ev->type, why);
	fprintf(stderr, "stripehookctl: %s\n", p->fault);
	sample_events_free(&play->events);
}

static void
go_on(struct player *p, struct play *play)
{
	p->fault[0] = '\0';
	play->tries = 0;
	play->due_ms = clock_ms() + player_pause(&play->events, play->next);
	if (++play->next == play->events.n)
		sample_events_free(&play->events);
}

static void
finish(struct player *p, struct play *play, CURLcode code)
{
	long status = 0;

	play->running = false;
	curl_easy_getinfo(play->post.easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK && status >= 200 && status <= 299)
		go_on(p, play);
	else if ((code != CURLE_OK || status == 429 || status >= 500) &&
	    play->tries < TRIES)
		play->due_ms = clock_ms() + AGAIN_MS;
	else
		give_up(p, play, code != CURLE_OK ? curl_easy_strerror(code) :
		    play->post.answer);
}

static void
collect_ended(struct player *p)
{
	CURLMsg *msg;
	char *play;
	int left;

	while ((msg = curl_multi_info_read(p->multi, &left)) != NULL) {
		CURL *easy = msg->easy_handle;
		CURLcode code = msg->data.result;

		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &play);
		curl_multi_remove_handle(p->multi, easy);
		finish(p, (struct play *)(void *)play, code);
	}
}

int
player_run(struct player *p, const struct deliver_options *sign)
{
	int running;

	(void)start_due(p, sign);
	if (curl_multi_perform(p->multi, &running) != CURLM_OK)
		abort();
	collect_ended(p);
	return start_due(p, sign);
}

void
player_wait(struct player *p, struct curl_waitfd *fds, unsigned nfds, int ms)
{
	if (curl_multi_poll(p->multi, fds, nfds, ms, NULL) != CURLM_OK)
		abort();
}

const char *
player_fault(const struct player *p)
{
	return p->fault;
}
