/* Reads marks, rows and the journal for the tools, page by page. */
#include "store/reconcile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/snapshot.h"
#include "store/tooldb.h"
#include "stripe/mapping.h"

static void
copy(char to[JOURNAL_ID_MAX], const char *from)
{
	snprintf(to, JOURNAL_ID_MAX, "%s", from != NULL ? from : "");
}

/* Columns: id, account, livemode, at, then what *more takes. */
static int
read_page(struct tooldb *db, struct object_ref *place,
    struct object_ref *list, size_t *n, struct err *err,
    void (*more)(struct object_ref *ref, MYSQL_ROW row))
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	*n = 0;
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	while ((row = mysql_fetch_row(res)) != NULL) {
		struct object_ref *ref = &list[(*n)++];

		*ref = (struct object_ref){ .kind = place->kind };
		copy(ref->id, row[0]);
		copy(ref->account, row[1]);
		ref->livemode = strcmp(row[2], "1") == 0;
		snprintf(ref->at, sizeof(ref->at), "%s", row[3]);
		if (more != NULL)
			more(ref, row);
		*place = *ref;
	}
	mysql_free_result(res);
	return 0;
}

/* The condition for what comes behind the place, by its three columns. */
static void
put_behind(struct tooldb *db, FILE *out, const char *id,
    const struct object_ref *place)
{
	fprintf(out, "%s >= ", id);
	tooldb_text(db, place->id);
	fprintf(out, " AND (%s, account, livemode) > (", id);
	tooldb_text(db, place->id);
	fputs(", ", out);
	tooldb_text(db, place->account);
	fprintf(out, ", %d)", place->livemode);
}

static void
more_of_mark(struct object_ref *ref, MYSQL_ROW row)
{
	ref->kind = snapshot_kind_by_table(row[4]);
	ref->tie = strcmp(row[5], "tie") == 0;
}

int
page_marks(struct tooldb *db, struct object_ref *place,
    struct object_ref *list, size_t cap, size_t *n, struct err *err)
{
	FILE *out = tooldb_sql(db);

	fputs("SELECT object_id, account, livemode, marked_at, table_name, "
	    "reason FROM reconcile_marks WHERE open = 1 AND ", out);
	put_behind(db, out, "object_id", place);
	fprintf(out, " ORDER BY object_id, account, livemode LIMIT %zu", cap);
	return read_page(db, place, list, n, err, more_of_mark);
}

int
page_unfinished(struct tooldb *db, const struct snapshot_kind *kind,
    struct object_ref *place, struct object_ref *list, size_t cap, size_t *n,
    struct err *err)
{
	const char *key = kind_table(kind)->cols[0].name;
	FILE *out = tooldb_sql(db);

	place->kind = kind;
	fprintf(out, "SELECT %s, account, livemode, '' FROM %s WHERE (%s) AND ",
	    key, kind->table, kind->unfinished);
	put_behind(db, out, key, place);
	fprintf(out, " ORDER BY %s, account, livemode LIMIT %zu", key, cap);
	return read_page(db, place, list, n, err, NULL);
}

static void
more_of_event(struct object_ref *ref, MYSQL_ROW row)
{
	copy(ref->event_id, row[4]);
	ref->kind = snapshot_kind_of_event(row[5], row[0]);
}

int
page_changed(struct tooldb *db, int64_t since, int64_t until,
    struct object_ref *place, struct object_ref *list, size_t cap, size_t *n,
    struct err *err)
{
	FILE *out = tooldb_sql(db);

	fprintf(out, "SELECT object_id, account, livemode, created_at, "
	    "stripe_event_id, event_type FROM event_journal WHERE created_at "
	    "< '1970-01-01' + INTERVAL %" PRId64 " SECOND AND ", until);
	if (place->at[0] == '\0') {
		fprintf(out, "created_at >= '1970-01-01' + INTERVAL %" PRId64
		    " SECOND", since);
	} else {
		fputs("created_at >= ", out);
		tooldb_text(db, place->at);
		fputs(" AND (created_at, stripe_event_id) > (", out);
		tooldb_text(db, place->at);
		fputs(", ", out);
		tooldb_text(db, place->event_id);
		fputc(')', out);
	}
	fprintf(out, " ORDER BY created_at, stripe_event_id LIMIT %zu", cap);
	return read_page(db, place, list, n, err, more_of_event);
}

/* The condition for one object's row, or mark. */
static void
put_object(struct tooldb *db, FILE *out, const char *key,
    const struct object_ref *ref)
{
	fprintf(out, " WHERE %s = ", key);
	tooldb_text(db, ref->id);
	fputs(" AND account = ", out);
	tooldb_text(db, ref->account);
	fprintf(out, " AND livemode = %d", ref->livemode);
}

int
mark_close(struct tooldb *db, const struct object_ref *mark, struct err *err)
{
	FILE *out = tooldb_sql(db);

	fputs("UPDATE reconcile_marks SET open = 0", out);
	put_object(db, out, "object_id", mark);
	fputs(" AND open = 1 AND marked_at = ", out);
	tooldb_text(db, mark->at);
	return tooldb_run(db, err);
}

const struct table *
kind_table(const struct snapshot_kind *kind)
{
	for (size_t i = 0; i < mapping_ntables; i++)
		if (strcmp(mapping_tables[i]->name, kind->table) == 0)
			return mapping_tables[i];
	abort();		/* the kinds name tables of the mapping */
}

/* Writes a column so that its text is what the mapping's value prints as. */
static void
put_column(FILE *out, const struct column *col)
{
	switch (col->type) {
	case COL_TIME:
		fprintf(out, ", TIMESTAMPDIFF(SECOND, '1970-01-01', `%s`)",
		    col->name);
		break;
	case COL_SHA256:
		fprintf(out, ", LOWER(HEX(`%s`))", col->name);
		break;
	case COL_STR:
	case COL_ID:
	case COL_INT:
	case COL_BOOL:
	case COL_JSON:
		fprintf(out, ", `%s`", col->name);
		break;
	}
}

enum { OWN_COLUMNS = 5 };

static void
fill_row(struct stored_row *row, const struct table *table, MYSQL_ROW from)
{
	row->found = true;
	row->unfinished = from[0] != NULL && strcmp(from[0], "1") == 0;
	row->ties = strtoll(from[1], NULL, 10);
	copy(row->event_id, from[2]);
	row->created = from[3] != NULL ? strtoll(from[3], NULL, 10) : -1;
	row->decided = from[4] != NULL ? strtoll(from[4], NULL, 10) : -1;
	row->ncols = table->ncols;
	row->values = mem_calloc(table->ncols, sizeof(*row->values));
	for (size_t i = 0; i < table->ncols; i++)
		if (from[OWN_COLUMNS + i] != NULL)
			row->values[i] = mem_strdup(from[OWN_COLUMNS + i]);
}

int
stored_row_read(struct tooldb *db, const struct object_ref *ref,
    struct stored_row *row, struct err *err)
{
	const struct table *table = kind_table(ref->kind);
	FILE *out = tooldb_sql(db);
	MYSQL_RES *res;
	MYSQL_ROW from;

	*row = (struct stored_row){ .found = false };
	fprintf(out, "SELECT (%s), ties, source_event_id, TIMESTAMPDIFF("
	    "SECOND, '1970-01-01', created), (SELECT TIMESTAMPDIFF(SECOND, "
	    "'1970-01-01', j.created) FROM event_journal j WHERE "
	    "j.stripe_event_id = source_event_id)", ref->kind->unfinished);
	for (size_t i = 0; i < table->ncols; i++)
		put_column(out, &table->cols[i]);
	fprintf(out, " FROM %s", table->name);
	put_object(db, out, table->cols[0].name, ref);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	if ((from = mysql_fetch_row(res)) != NULL)
		fill_row(row, table, from);
	mysql_free_result(res);
	return 0;
}

void
stored_row_clear(struct stored_row *row)
{
	for (size_t i = 0; i < row->ncols; i++)
		free(row->values[i]);
	free(row->values);
	*row = (struct stored_row){ .found = false };
}
