/* The statements of the event journal. */
#include "store/journal.h"

#include "store/batch.h"
#include "store/stmt.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

enum {
	EV_ID, EV_TYPE, EV_OBJECT, EV_STATUS, EV_ERROR, EV_ACCOUNT,
	EV_LIVEMODE, EV_API_VERSION, EV_CREATED, EV_RECEIVED, EV_PROCESSED,
	EV_ORIGIN
};

/* From a text the sum is a text, which is read again to be stored. */
#define TIME_S "TIMESTAMP'1970-01-01 00:00:00' + INTERVAL ? SECOND"
#define TIME_US "TIMESTAMP'1970-01-01 00:00:00' + INTERVAL ? MICROSECOND"

struct stmt *
journal_prepare_events(MYSQL *mysql, size_t cap)
{
	return stmt_new(mysql,
	    "INSERT INTO event_journal (stripe_event_id, event_type, "
	    "object_id, status, error, account, livemode, api_version, "
	    "created, created_at, processed_at, origin, deliveries) VALUES "
	    "(?, ?, ?, ?, ?, ?, ?, ?, " TIME_S ", " TIME_US ", " TIME_US
	    ", ?, LAST_INSERT_ID(1)) ON DUPLICATE KEY UPDATE "
	    "deliveries = LAST_INSERT_ID(deliveries + 1)", "bbbbbbibiiii",
	    cap, "deliveries");
}

const char *
journal_status(enum outcome out)
{
	switch (out) {
	case OUT_OK:
		return "processed";
	case OUT_IGNORED:
		return "ignored";
	default:
		return "failed";
	}
}

void
journal_put_event(struct stmt *st, size_t at, const struct entry *e)
{
	const struct event *ev = e->event;
	const char *reason = e->rows->reason;

	stmt_text(st, at, EV_ID, ev->id);
	stmt_text(st, at, EV_TYPE, ev->type);
	stmt_text(st, at, EV_OBJECT, ev->object_id);
	stmt_text(st, at, EV_STATUS, journal_status(e->out));
	stmt_text(st, at, EV_ERROR, reason[0] != '\0' ? reason : NULL);
	stmt_text(st, at, EV_ACCOUNT, ev->account);
	stmt_int(st, at, EV_LIVEMODE, ev->livemode);
	stmt_text(st, at, EV_API_VERSION, ev->api_version);
	stmt_int(st, at, EV_CREATED, ev->created);
	stmt_int(st, at, EV_RECEIVED, e->received_us);
	/* Numbers choose an ENUM's values from 1 on. */
	stmt_int(st, at, EV_ORIGIN, (int64_t)e->origin + 1);
	if (e->out == OUT_FAILED)
		stmt_null(st, at, EV_PROCESSED);
	else
		stmt_int(st, at, EV_PROCESSED, e->received_us);
}
