/* Payloads, in the order of their table's key. */
#include "store/payloads.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/batch.h"
#include "store/pipeline.h"
#include "store/stmt.h"
#include "stripe/event.h"

struct payloads {
	struct stmt *insert;
	const struct entry **sorted;	/* those to be sent */
};

struct stmt *
payloads_prepare(MYSQL *mysql, size_t cap)
{
	return stmt_new(mysql, "INSERT INTO event_payloads (created_at, "
	    "stripe_event_id, payload) VALUES (TIMESTAMP'1970-01-01 00:00:00' "
	    "+ INTERVAL ? MICROSECOND, ?, ?)", "ibb", cap, NULL);
}

struct payloads *
payloads_new(MYSQL *mysql, size_t cap)
{
	struct payloads *p = mem_calloc(1, sizeof(*p));

	p->sorted = mem_calloc(cap, sizeof(*p->sorted));
	p->insert = payloads_prepare(mysql, cap);
	if (p->insert != NULL)
		return p;
	payloads_free(p);
	return NULL;
}

void
payloads_free(struct payloads *p)
{
	if (p == NULL)
		return;
	stmt_free(p->insert);
	free(p->sorted);
	free(p);
}

/* What is added at the end of a table leaves no page half full. */
static int
compare_arrival(const void *pa, const void *pb)
{
	const struct entry *const *a = pa, *const *b = pb;

	if ((*a)->received_us != (*b)->received_us)
		return (*a)->received_us < (*b)->received_us ? -1 : 1;
	return strcmp((*a)->event->id, (*b)->event->id);
}

static void
put(struct stmt *st, size_t at, const struct entry *e)
{
	stmt_int(st, at, 0, e->received_us);
	stmt_text(st, at, 1, e->event->id);
	stmt_bytes(st, at, 2, e->payload, e->payload_len);
}

enum db_class
payloads_send(struct payloads *p, struct pipeline *pipeline,
    struct entry *const *entries, const int64_t *deliveries, size_t n,
    struct err *err)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (deliveries[i] == 1)
			p->sorted[k++] = entries[i];
	if (k == 0)
		return DB_OK;
	qsort(p->sorted, k, sizeof(*p->sorted), compare_arrival);
	for (size_t i = 0; i < k; i++)
		put(p->insert, i, p->sorted[i]);
	return pipeline_send(pipeline, p->insert, k, NULL, "event_payloads",
	    err);
}
