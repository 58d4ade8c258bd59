/* The last events: rows of the journal, and how long each delivery took. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/ctl_out.h"
#include "ctl/demo_int.h"
#include "store/filter.h"
#include "store/tooldb.h"

enum { EVENTS = 20, TAIL = 65536 };

/* Fields of a row, in the order of the SELECT. */
enum { F_ID, F_RECEIVED, F_SHOWN, F_TYPE, F_STATUS, F_OBJECT, F_ERROR };

#define COLUMNS "stripe_event_id, created_at, DATE_FORMAT(created_at, " \
	"'%Y-%m-%dT%H:%i:%s.%fZ'), event_type, status, object_id, error"

/* The log's end, or NULL. */
static char *
read_tail(const char *path)
{
	FILE *in = path != NULL ? fopen(path, "re") : NULL;
	char *text;

	if (in == NULL)
		return NULL;
	text = mem_calloc(TAIL + 1, 1);
	/* A shorter file is read from its beginning. */
	(void)fseeko(in, -TAIL, SEEK_END);
	text[fread(text, 1, TAIL, in)] = '\0';
	fclose(in);
	return text;
}

/*
 * The log alone knows when the answer left, so after the commit: its line is
 * "... ID TYPE CODE STATUS MS ms". Negative if it isn't there.
 */
static double
time_taken(const char *tail, const char *id)
{
	const char *at = tail != NULL ? strstr(tail, id) : NULL;
	double ms;

	if (at == NULL ||
	    sscanf(at + strlen(id), " %*s %*s %*d %lf ms", &ms) != 1)
		return -1;
	return ms;
}

static struct json_object *
event_json(MYSQL_ROW row, const char *tail)
{
	struct json_object *o = json_object_new_object();
	double ms = time_taken(tail, row[F_ID]);
	char text[32];

	out_text(o, "id", row[F_ID]);
	out_text(o, "type", row[F_TYPE]);
	out_text(o, "object", row[F_OBJECT]);
	out_text(o, "status", row[F_STATUS]);
	out_text(o, "error", row[F_ERROR]);
	out_text(o, "received", row[F_SHOWN]);
	snprintf(text, sizeof(text), "%.3f", ms);
	json_object_object_add(o, "ms",
	    ms < 0 ? NULL : json_object_new_double_s(ms, text));
	return o;
}

struct json_object *
events_list(struct demo *d, struct err *err)
{
	const struct filter filter = { .newest = true, .limit = EVENTS };
	struct json_object *list;
	MYSQL_RES *res;
	MYSQL_ROW row;
	char *tail;

	if (d->db == NULL && (d->db = tooldb_new(&d->cfg, err)) == NULL)
		return NULL;
	if (filter_read(d->db, &filter, COLUMNS, &res, err) != 0)
		return NULL;
	list = json_object_new_array();
	tail = read_tail(d->cfg.log_file);
	while ((row = mysql_fetch_row(res)) != NULL)
		json_object_array_add(list, event_json(row, tail));
	free(tail);
	mysql_free_result(res);
	return list;
}
