/* Makes of what the journal has what a delivery would have made. */
#include "store/replay_item.h"

#include <inttypes.h>
#include <obstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/tooldb.h"
#include "stripe/redact.h"

static int
read_payload(struct replay_item *it, struct tooldb *db, struct obstack *mem,
    struct err *err)
{
	FILE *out = tooldb_sql(db);
	MYSQL_RES *res;
	MYSQL_ROW row;

	fprintf(out, "SELECT p.payload, EXISTS (SELECT 1 FROM redactions x "
	    "WHERE x.stripe_event_id = p.stripe_event_id) FROM "
	    "event_payloads p WHERE p.created_at = '1970-01-01' + INTERVAL %"
	    PRId64 " MICROSECOND AND p.stripe_event_id = ", it->received_us);
	tooldb_text(db, it->id);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	if ((row = mysql_fetch_row(res)) != NULL) {
		it->len = mysql_fetch_lengths(res)[0];
		it->payload = obstack_copy0(mem, row[0], (int)it->len);
		it->redacted = row[1][0] == '1';
	}
	mysql_free_result(res);
	return 0;
}

/* What was blanked must come to be missing, not to read "[redacted]". */
static void
forget_redacted(struct replay_item *it, struct obstack *mem)
{
	size_t len, edits;
	char *text = redact_forget(it->payload, it->len, &len, &edits);

	if (text == NULL)
		return;
	it->payload = obstack_copy0(mem, text, (int)len);
	it->len = len;
	free(text);
}

/* As a delivery is, but for the signature. */
static enum outcome
apply(struct replay_item *it, const struct config *cfg, struct obstack *mem)
{
	enum livemode mode = cfg->livemode;
	const char *why = "";
	enum outcome out;

	if (it->redacted)
		forget_redacted(it, mem);
	if (event_parse(&it->event, mem, it->payload, it->len,
	    &why) != OUT_OK) {
		it->event = (struct event){ .id = it->id, .account = "" };
		snprintf(it->rows.reason, sizeof(it->rows.reason), "%s", why);
		return OUT_FAILED;
	}
	if (it->replay.error != NULL &&
	    strcmp(it->replay.error, EVENT_OTHER_SECRET) == 0)
		why = EVENT_OTHER_SECRET;
	else if (mode != LIVEMODE_ANY &&
	    (mode == LIVEMODE_LIVE) != it->event.livemode)
		why = EVENT_OTHER_MODE;
	if (why != NULL && *why != '\0') {
		snprintf(it->rows.reason, sizeof(it->rows.reason), "%s", why);
		out = OUT_IGNORED;
	} else {
		out = mapping_apply(&it->rows, mem, &it->event,
		    &cfg->user_metadata_keys);
	}
	event_drop_json(&it->event);
	return out;
}

int
replay_item_prepare(struct replay_item *it, struct tooldb *db,
    const struct config *cfg, struct obstack *mem, struct err *err)
{
	if (read_payload(it, db, mem, err) != 0)
		return -1;
	if (it->payload == NULL || (it->redacted && it->replay.applied))
		return 0;
	it->replay.at_us = clock_wall_us();
	it->entry = (struct entry){ .event = &it->event, .rows = &it->rows,
	    .received_us = it->received_us, .replay = &it->replay };
	it->entry.out = apply(it, cfg, mem);
	it->written = true;
	return 0;
}
