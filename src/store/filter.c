/*
 * Makes a SELECT per event type that a pattern means, each of which reads a
 * stretch of one index, and merges them.
 */
#include "store/filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/tooldb.h"

const char *const filter_statuses[] = {
	"processed", "ignored", "failed", "dismissed", NULL
};

/* Few events have these statuses: their index is the best way to them. */
static bool
is_rare(const char *status)
{
	return status != NULL && (strcmp(status, "failed") == 0 ||
	    strcmp(status, "dismissed") == 0);
}

static const char *
choose_index(const struct filter *f)
{
	if (f->object != NULL)
		return "object_created";
	if (f->type != NULL && !is_rare(f->status))
		return "type_created_at";
	if (f->status != NULL)
		return "status_created_at";
	return "created_at";
}

/* The pattern for LIKE. */
static void
put_pattern(struct tooldb *db, FILE *out, const char *pattern)
{
	char like[2 * 255 + 1];
	size_t n = 0;

	for (; *pattern != '\0' && n + 2 < sizeof(like); pattern++) {
		if (strchr("%_|", *pattern) != NULL)
			like[n++] = '|';
		like[n++] = *pattern == '*' ? '%' : *pattern;
	}
	like[n] = '\0';
	fputs("event_type LIKE ", out);
	tooldb_text(db, like);
	fputs(" ESCAPE '|'", out);
}

static void
put_time(FILE *out, const char *comparison, int64_t us)
{
	fprintf(out, " AND created_at %s '1970-01-01' + INTERVAL %" PRId64
	    " MICROSECOND", comparison, us);
}

static void
put_order(FILE *out, const struct filter *f)
{
	const char *way = f->newest ? "DESC" : "ASC";

	fprintf(out, " ORDER BY created_at %s, stripe_event_id %s LIMIT %zu",
	    way, way, f->limit);
}

/* One SELECT; type is a whole one, or NULL where the pattern decides. */
static void
put_select(struct tooldb *db, FILE *out, const struct filter *f,
    const char *columns, const char *type)
{
	fprintf(out, "(SELECT %s FROM event_journal FORCE INDEX (%s) WHERE 1",
	    columns, choose_index(f));
	if (f->object != NULL) {
		fputs(" AND object_id = ", out);
		tooldb_text(db, f->object);
	}
	if (f->status != NULL) {
		fputs(" AND status = ", out);
		tooldb_text(db, f->status);
	}
	if (type != NULL) {
		fputs(" AND event_type = ", out);
		tooldb_text(db, type);
	} else if (f->type != NULL) {
		fputs(" AND ", out);
		put_pattern(db, out, f->type);
	}
	if (f->since_us != 0)
		put_time(out, ">=", f->since_us);
	if (f->until_us != 0)
		put_time(out, "<", f->until_us);
	if (f->after_id != NULL) {
		put_time(out, ">=", f->after_us);
		fprintf(out, " AND (created_at > '1970-01-01' + INTERVAL %"
		    PRId64 " MICROSECOND OR stripe_event_id > ", f->after_us);
		tooldb_text(db, f->after_id);
		putc(')', out);
	}
	put_order(out, f);
	putc(')', out);
}

/* The types that there are; distinct ones are skipped through in the index. */
static int
read_types(struct tooldb *db, const struct filter *f, MYSQL_RES **res,
    struct err *err)
{
	FILE *out = tooldb_sql(db);

	fputs("SELECT DISTINCT event_type FROM event_journal WHERE ", out);
	put_pattern(db, out, f->type);
	return tooldb_read(db, res, err);
}

int
filter_read(struct tooldb *db, const struct filter *f, const char *columns,
    MYSQL_RES **res, struct err *err)
{
	MYSQL_RES *types = NULL;
	MYSQL_ROW row;
	const char *separator = "";
	bool by_type = f->type != NULL && strchr(f->type, '*') != NULL &&
	    strcmp(choose_index(f), "type_created_at") == 0;
	bool whole = f->type != NULL && strchr(f->type, '*') == NULL;
	FILE *out;

	if (by_type && read_types(db, f, &types, err) != 0)
		return -1;
	out = tooldb_sql(db);
	if (by_type && mysql_num_rows(types) > 0) {
		while ((row = mysql_fetch_row(types)) != NULL) {
			fputs(separator, out);
			put_select(db, out, f, columns, row[0]);
			separator = " UNION ALL ";
		}
		put_order(out, f);
	} else {
		/* A pattern that means nothing there is is as good as it. */
		put_select(db, out, f, columns, whole || by_type ? f->type :
		    NULL);
	}
	if (types != NULL)
		mysql_free_result(types);
	return tooldb_read(db, res, err);
}
