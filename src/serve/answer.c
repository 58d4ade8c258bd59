/* Answers a delivery and says so, once, in metric and log. */
#include "serve/answer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/reply.h"
#include "serve/queue.h"

void
answer_send(struct slot *slot, enum outcome out)
{
	struct reply_text text;
	struct reply reply = reply_for(out, "POST", &text);

	/* First, so that who has the answer finds it counted. */
	metrics_outcome(out);
	if (conn_answer(&slot->conn, &reply) != 0)
		metrics_add(METRIC_REPLIES_LOST, 1);
	slot->took_us = clock_wall_us() - slot->entry.received_us;
}

void
answer_end(struct slot *slot, enum outcome out)
{
	const struct outcome_info *info = &outcome_table[out];
	const struct event *ev = &slot->event;
	int64_t us = slot->took_us;

	conn_drop(&slot->conn);
	metrics_observe(HIST_REQUEST, us > 0 ? (uint64_t)us : 0);
	if (!log_shows(info->level))
		return;
	/* Of an unverified body nothing is known, and nothing is said. */
	log_line(info->level, "%s %s %s %d %lld.%03lld ms%s%s",
	    ev->id != NULL ? ev->id : "-", ev->type != NULL ? ev->type : "-",
	    info->code, info->http, (long long)(us / 1000),
	    (long long)(us % 1000),
	    slot->rows.reason[0] != '\0' ? ": " : "", slot->rows.reason);
}

void
answer(struct slot *slot, enum outcome out)
{
	answer_send(slot, out);
	answer_end(slot, out);
}
