/* Gathers the links of events and adds them. */
#include "store/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/batch.h"
#include "store/pipeline.h"
#include "store/stmt.h"
#include "stripe/mapping.h"

struct stmt *
links_prepare(MYSQL *mysql, const char *prefix, size_t cap)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "INSERT INTO %slinks (from_id, to_id, kind) "
	    "VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE kind = kind", prefix);
	return stmt_new(mysql, sql, "bbb", cap, NULL);
}

static int
compare_link(const void *pa, const void *pb)
{
	const struct link *const *a = pa, *const *b = pb;
	int c;

	if ((c = strcmp((*a)->from_id, (*b)->from_id)) != 0 ||
	    (c = strcmp((*a)->to_id, (*b)->to_id)) != 0)
		return c;
	return strcmp((*a)->kind, (*b)->kind);
}

static void
put_link(struct stmt *st, size_t at, const struct link *link)
{
	stmt_text(st, at, 0, link->from_id);
	stmt_text(st, at, 1, link->to_id);
	stmt_text(st, at, 2, link->kind);
}

enum db_class
links_send(struct stmt *st, struct pipeline *pipeline,
    struct entry *const *e, const int64_t *deliveries, size_t n,
    struct err *err)
{
	size_t total = 0, k = 0, at = 0;
	const struct link **links;
	enum db_class class = DB_OK;

	for (size_t i = 0; i < n; i++)
		if (deliveries[i] == 1 && e[i]->out == OUT_OK)
			total += e[i]->rows->nlinks;
	if (total == 0)
		return DB_OK;
	links = mem_calloc(total, sizeof(const struct link *));
	for (size_t i = 0; i < n; i++)
		if (deliveries[i] == 1 && e[i]->out == OUT_OK)
			for (size_t l = 0; l < e[i]->rows->nlinks; l++)
				links[k++] = &e[i]->rows->link[l];
	qsort(links, total, sizeof(const struct link *), compare_link);
	for (size_t i = 0; i < total && class == DB_OK; i++) {
		put_link(st, at, links[i]);
		if (++at < stmt_cap(st) && i + 1 < total)
			continue;
		class = pipeline_send(pipeline, st, at, NULL, "links", err);
		at = 0;
	}
	free(links);
	return class;
}
