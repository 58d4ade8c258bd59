/* Single questions to the journal. */
#include "store/journal_read.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/tooldb.h"

/* Sets found[i] for the ids that the query, which ends in "IN (", gives. */
static int
find_ids(struct tooldb *db, const char *query, const char *const *ids,
    bool *found, size_t n, struct err *err)
{
	FILE *out = tooldb_sql(db);
	MYSQL_RES *res;
	MYSQL_ROW row;

	fprintf(out, "%s''", query);
	for (size_t i = 0; i < n; i++) {
		found[i] = false;
		fputs(", ", out);
		tooldb_text(db, ids[i]);
	}
	fputc(')', out);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	while ((row = mysql_fetch_row(res)) != NULL)
		for (size_t i = 0; i < n; i++)
			if (strcmp(ids[i], row[0]) == 0)
				found[i] = true;
	mysql_free_result(res);
	return 0;
}

int
journal_lacks(struct tooldb *db, const char *const *ids, bool *lacks,
    size_t n, struct err *err)
{
	int rc = find_ids(db, "SELECT stripe_event_id FROM event_journal "
	    "WHERE stripe_event_id IN (", ids, lacks, n, err);

	for (size_t i = 0; i < n; i++)
		lacks[i] = !lacks[i];
	return rc;
}

int
payments_known(struct tooldb *db, const char *const *ids, bool *known,
    size_t n, struct err *err)
{
	return find_ids(db, "SELECT stripe_payment_intent_id FROM payments "
	    "WHERE succeeded_at IS NOT NULL AND stripe_payment_intent_id IN (",
	    ids, known, n, err);
}

int
journal_newest_delivery(struct tooldb *db, bool livemode,
    char id[JOURNAL_ID_MAX], struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	id[0] = '\0';
	/* Among the last few, or it would look through all of the journal. */
	fprintf(tooldb_sql(db), "SELECT stripe_event_id FROM (SELECT "
	    "stripe_event_id, origin, livemode, account FROM event_journal "
	    "ORDER BY created_at DESC LIMIT 1000) j WHERE origin = 'webhook' "
	    "AND account = '' AND livemode = %d LIMIT 1", livemode);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	if ((row = mysql_fetch_row(res)) != NULL)
		snprintf(id, JOURNAL_ID_MAX, "%s", row[0]);
	mysql_free_result(res);
	return 0;
}

int
journal_payload(struct tooldb *db, const char *event_id, char **payload,
    size_t *len, struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	*payload = NULL;
	fputs("SELECT p.payload FROM event_journal j JOIN event_payloads p ON "
	    "p.created_at = j.created_at AND p.stripe_event_id = "
	    "j.stripe_event_id WHERE j.stripe_event_id = ", tooldb_sql(db));
	tooldb_text(db, event_id);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	if ((row = mysql_fetch_row(res)) != NULL && row[0] != NULL) {
		*len = mysql_fetch_lengths(res)[0];
		*payload = mem_calloc(*len + 1, 1);
		memcpy(*payload, row[0], *len);
	}
	mysql_free_result(res);
	return 0;
}
