/* Answers a delivery and says so, once, in metric and log. */
#include "serve/answer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/reply.h"
#include "serve/queue.h"

void
answer(struct slot *slot, enum outcome out)
{
	const struct outcome_info *info = &outcome_table[out];
	const struct event *ev = &slot->event;
	struct reply_text text;
	struct reply reply = reply_for(out, "POST", &text);
	int64_t us;

	/* First, so that who has the answer finds it counted. */
	metrics_outcome(out);
	if (conn_reply(&slot->conn, &reply) != 0)
		metrics_add(METRIC_REPLIES_LOST, 1);
	us = clock_wall_us() - slot->entry.received_us;
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
