/*
 * The story of a delivery: request -> signature -> event -> mapping -> queue.
 * The acceptor tells it to the queue; the committer ends it with the answer.
 */
#include "serve/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/request.h"
#include "serve/answer.h"
#include "serve/committer.h"
#include "serve/queue.h"
#include "serve/turn.h"
#include "serve/worker.h"
#include "stripe/signature.h"

enum {
	TICK_MS = 50,		/* deadlines are looked at this often */
	AT_ONCE = 32,		/* connections between two looks at signals */
	PRESSED = 8,		/* full bursts in a row: we can't keep up */
	DRAIN_TICK_MS = 5,	/* the same at the end, which is soon */
	FULL_WAIT_MS = 100	/* for a slot, before a delivery is refused */
};

struct ingest {
	const struct worker *worker;
	FCGX_Request fcgi;	/* the request in hand, as libfcgi has it */
	struct request req;	/* and as we do */
	struct queue *queue;
	struct committer *committers[COMMITTERS];
	uint64_t *digests;	/* one per secret */
};

static enum outcome
check_method(const struct request *req)
{
	return strcmp(req->method, "POST") == 0 ? OUT_OK : OUT_METHOD;
}

/* Events of the mode that isn't wanted are kept, but not applied. */
static enum outcome
check_mode(struct slot *slot, const struct config *cfg, size_t secret)
{
	enum livemode have = slot->event.livemode ? LIVEMODE_LIVE :
	    LIVEMODE_TEST;
	enum livemode signs = cfg->webhook_secrets.list[secret].mode;
	const char *why = NULL;

	if (signs != LIVEMODE_ANY && signs != have)
		why = EVENT_OTHER_SECRET;
	else if (cfg->livemode != LIVEMODE_ANY && cfg->livemode != have)
		why = EVENT_OTHER_MODE;
	if (why == NULL)
		return OUT_OK;
	snprintf(slot->rows.reason, sizeof(slot->rows.reason), "%s", why);
	return OUT_IGNORED;
}

static enum outcome
check_signature(const struct request *req, const struct ingest *in,
    size_t *secret)
{
	const struct config *cfg = in->worker->cfg;
	int64_t now = req->accepted_us / 1000000;
	enum outcome out = signature_check(req->signature,
	    req->signature != NULL ? strlen(req->signature) : 0, req->body,
	    req->body_len, &cfg->webhook_secrets, now, cfg->tolerance, secret);

	if (out == OUT_OK) {
		metrics_set(METRIC_LAST_VERIFIED, (uint64_t)now);
		metrics_secret_matched(in->digests[*secret], now);
	}
	return out;
}

static enum outcome
read_request(struct slot *slot, struct ingest *in)
{
	enum outcome out = request_read(&in->req, &in->fcgi, &slot->mem,
	    (size_t)in->worker->cfg->body_max);

	slot->entry = (struct entry){
		.event = &slot->event,
		.rows = &slot->rows,
		.payload = in->req.body,
		.payload_len = in->req.body_len,
		.received_us = in->req.accepted_us,
	};
	return out;
}

/*
 * From the connection to an entry for the committer: OUT_OK, OUT_IGNORED and
 * OUT_FAILED are stored, all else is answered at once.
 */
static enum outcome
prepare(struct slot *slot, struct ingest *in)
{
	const struct config *cfg = in->worker->cfg;
	const char *why = "";
	size_t secret = 0;
	enum outcome out;

	if ((out = read_request(slot, in)) == OUT_OK &&
	    (out = check_method(&in->req)) == OUT_OK &&
	    (out = check_signature(&in->req, in, &secret)) == OUT_OK &&
	    (out = event_parse(&slot->event, &slot->mem, in->req.body,
	    in->req.body_len, &why)) == OUT_OK &&
	    (out = check_mode(slot, cfg, secret)) == OUT_OK)
		out = mapping_apply(&slot->rows, &slot->mem, &slot->event,
		    &cfg->user_metadata_keys);
	if (out == OUT_BAD_JSON || out == OUT_NO_EVENT)
		snprintf(slot->rows.reason, sizeof(slot->rows.reason), "%s",
		    why);
	/* The tree is many times the size of its text. */
	event_drop_json(&slot->event);
	conn_take(&slot->conn, &in->fcgi);
	return out;
}

static void
serve(struct ingest *in, struct slot *slot)
{
	enum outcome out;

	worker_beat(ACCEPTOR, STAGE_READING);
	out = prepare(slot, in);
	if ((out == OUT_OK || out == OUT_IGNORED || out == OUT_FAILED) &&
	    !committer_available(in->committers[0]))
		out = OUT_DB_DOWN;
	if (out == OUT_OK || out == OUT_IGNORED || out == OUT_FAILED) {
		slot->entry.out = out;
		queue_push(in->queue, slot);	/* the committer answers */
		return;
	}
	answer(slot, out);
	queue_put(in->queue, slot);
}

/* All slots are in flight: with its own the acceptor says so. */
static void
refuse(struct ingest *in, struct slot *slot)
{
	enum outcome out = read_request(slot, in);

	conn_take(&slot->conn, &in->fcgi);
	answer(slot, out == OUT_OK ? OUT_QUEUE_FULL : out);
	slot_reset(slot);
}

/*
 * Serves one connection, if there is one, with *own, which is a free slot again
 * afterwards.
 */
static bool
accept_one(struct ingest *in, struct slot **own)
{
	struct slot *next;

	if (request_accept(&in->fcgi) != 0)
		return false;
	if ((next = queue_get(in->queue, 0)) == NULL &&
	    (next = queue_get(in->queue, FULL_WAIT_MS)) == NULL) {
		refuse(in, *own);
		return true;
	}
	serve(in, *own);
	*own = next;
	return true;
}

static void
watch(struct ingest *in)
{
	for (size_t i = 0; i < COMMITTERS; i++)
		committer_watch(in->committers[i], clock_ms());
}

/* Serves who has come, for a while: signals and deadlines wait meanwhile. */
static void
accept_some(struct ingest *in, struct slot **own)
{
	static unsigned bursts;		/* without an end of who comes */
	unsigned n = 0;

	while (n < AT_ONCE && accept_one(in, own))
		n++;
	bursts = n == AT_ONCE ? bursts + 1 : 0;
	turn_show(bursts >= PRESSED);
}

/* Waits for our turn, or in it for who comes. */
static enum worker_next
wait(const struct worker *w)
{
	int left_ms = turn_left_ms();

	worker_beat(ACCEPTOR, STAGE_WAITING);
	return worker_wait(w, left_ms < TICK_MS ? left_ms : TICK_MS,
	    turn_is_ours(w->number));
}

static void
accept_all(struct ingest *in, struct slot *own)
{
	enum worker_next next;

	do {
		next = wait(in->worker);
		if (next == WORKER_ACCEPT)
			accept_some(in, &own);
		watch(in);
	} while (next != WORKER_END);
	queue_put(in->queue, own);
}

/* Waits for the last answers, keeping the deadlines meanwhile. */
static void
join(struct ingest *in)
{
	const struct timespec tick = { 0, (long)DRAIN_TICK_MS * 1000000 };

	queue_close(in->queue);
	for (size_t i = 0; i < COMMITTERS; i++)
		while (!committer_ended(in->committers[i])) {
			worker_beat(ACCEPTOR, STAGE_DRAINING);
			watch(in);
			nanosleep(&tick, NULL);
		}
}

int
ingest_run(const struct worker *w)
{
	struct ingest in = { .worker = w };
	struct slot *own;

	/* One more than the setting says: the acceptor's own. */
	in.queue = queue_new((size_t)w->cfg->ingest_slots + 1);
	if (request_init(&in.fcgi, w->fd) != 0) {
		log_line(LOG_ERR, "libfcgi can't be set up");
		return EX_SOFTWARE;
	}
	in.digests = mem_calloc(w->cfg->webhook_secrets.n, sizeof(uint64_t));
	for (size_t i = 0; i < w->cfg->webhook_secrets.n; i++)
		in.digests[i] = signature_digest(
		    &w->cfg->webhook_secrets.list[i]);
	for (unsigned i = 0; i < COMMITTERS; i++)
		in.committers[i] = committer_new(w, in.queue, i);
	own = queue_get(in.queue, 0);
	for (size_t i = 0; i < COMMITTERS; i++)
		if (committer_start(in.committers[i]) != 0)
			return EX_OSERR;
	metrics_own->ready_ms = clock_ms();
	accept_all(&in, own);
	metrics_own->ready_ms = 0;
	join(&in);
	for (size_t i = 0; i < COMMITTERS; i++)
		committer_free(in.committers[i]);
	queue_free(in.queue);
	free(in.digests);
	return EX_OK;
}
