/* Reads the journal, and looks up what came of the event. */
#include "ctl/event_read.h"

#include <json-c/json.h>
#include <obstack.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/ctl_out.h"
#include "store/claim.h"
#include "store/tooldb.h"
#include "stripe/event.h"
#include "stripe/json.h"
#include "stripe/mapping.h"
#include "stripe/redact.h"

#define ISO "'%Y-%m-%dT%H:%i:%sZ'"
#define ISO_US "'%Y-%m-%dT%H:%i:%s.%fZ'"

/* What is selected, each with its name in the object. */
static const struct field {
	const char *key, *expr;
	enum { TEXT, INTEGER, BOOLEAN } type;
} fields[] = {
	{ "stripe_event_id", "j.stripe_event_id", TEXT },
	{ "event_type", "j.event_type", TEXT },
	{ "object_id", "j.object_id", TEXT },
	{ "status", "j.status", TEXT },
	{ "error", "j.error", TEXT },
	{ "account", "j.account", TEXT },
	{ "livemode", "j.livemode", BOOLEAN },
	{ "api_version", "j.api_version", TEXT },
	{ "created", "DATE_FORMAT(j.created, " ISO ")", TEXT },
	{ "deliveries", "j.deliveries", INTEGER },
	{ "created_at", "DATE_FORMAT(j.created_at, " ISO_US ")", TEXT },
	{ "processed_at", "DATE_FORMAT(j.processed_at, " ISO_US ")", TEXT },
	{ "origin", "j.origin", TEXT },
	{ "redacted", "x.paths", TEXT },
};

enum { NFIELDS = sizeof(fields) / sizeof(fields[0]) };

static const char *
get(struct json_object *event, const char *key)
{
	return json_object_get_string(json_object_object_get(event, key));
}

/* The journal's row, and the payload as it is stored. */
static int
read_journal(struct tooldb *db, const char *id, struct json_object **event,
    char **payload, size_t *len, struct err *err)
{
	FILE *out = tooldb_sql(db);
	MYSQL_RES *res;
	MYSQL_ROW row;

	fputs("SELECT ", out);
	for (size_t i = 0; i < NFIELDS; i++)
		fprintf(out, "%s, ", fields[i].expr);
	fputs("p.payload FROM event_journal j LEFT JOIN event_payloads p ON "
	    "p.created_at = j.created_at AND p.stripe_event_id = "
	    "j.stripe_event_id LEFT JOIN redactions x ON x.stripe_event_id = "
	    "j.stripe_event_id WHERE j.stripe_event_id = ", out);
	tooldb_text(db, id);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	if ((row = mysql_fetch_row(res)) != NULL) {
		*event = json_object_new_object();
		for (size_t i = 0; i < NFIELDS; i++)
			if (fields[i].type == TEXT || row[i] == NULL)
				out_text(*event, fields[i].key, row[i]);
			else if (fields[i].type == INTEGER)
				out_int(*event, fields[i].key,
				    strtoll(row[i], NULL, 10));
			else
				json_object_object_add(*event, fields[i].key,
				    json_object_new_boolean(
				    row[i][0] == '1'));
		if (row[NFIELDS] != NULL) {
			*len = mysql_fetch_lengths(res)[NFIELDS];
			*payload = mem_calloc(*len + 1, 1);
			memcpy(*payload, row[NFIELDS], *len);
		}
	}
	mysql_free_result(res);
	return 0;
}

static int
read_attempts(struct tooldb *db, const char *id, struct json_object *event,
    struct err *err)
{
	static const char *const keys[] = { "attempted_at", "status",
	    "error", "actor" };
	struct json_object *list = json_object_new_array();
	FILE *out = tooldb_sql(db);
	MYSQL_RES *res;
	MYSQL_ROW row;

	json_object_object_add(event, "attempts", list);
	fputs("SELECT DATE_FORMAT(attempted_at, " ISO_US "), status, error, "
	    "actor FROM event_attempts WHERE stripe_event_id = ", out);
	tooldb_text(db, id);
	fputs(" ORDER BY attempted_at", out);
	if (tooldb_read(db, &res, err) != 0)
		return -1;
	while ((row = mysql_fetch_row(res)) != NULL) {
		struct json_object *o = json_object_new_object();

		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			out_text(o, keys[i], row[i]);
		json_object_array_add(list, o);
	}
	mysql_free_result(res);
	return 0;
}

static void
add_row(struct json_object *list, const char *table, const char *key,
    const char *source, bool decides)
{
	struct json_object *o = json_object_new_object();

	out_text(o, "table", table);
	out_text(o, "id", key);
	json_object_object_add(o, "decides",
	    json_object_new_boolean(decides));
	out_text(o, "source_event_id", source);
	json_object_array_add(list, o);
}

/* Without a payload: the object's own row, wherever that is. */
static int
find_rows(struct tooldb *db, const char *id, struct json_object *event,
    struct json_object *list, struct err *err)
{
	const char *object = get(event, "object_id");
	MYSQL_RES *res;
	MYSQL_ROW row;

	for (size_t i = 0; i < mapping_ntables; i++) {
		const struct table *t = mapping_tables[i];
		FILE *out = tooldb_sql(db);

		fprintf(out, "SELECT source_event_id FROM `%s` WHERE `%s` = ",
		    t->name, t->cols[0].name);
		tooldb_text(db, object);
		fputs(" AND source_event_id = ", out);
		tooldb_text(db, id);
		if (tooldb_read(db, &res, err) != 0)
			return -1;
		while ((row = mysql_fetch_row(res)) != NULL)
			add_row(list, t->name, object, row[0], true);
		mysql_free_result(res);
	}
	return 0;
}

static void
add_links(const struct rows *rows, struct json_object *list)
{
	for (size_t i = 0; i < rows->nlinks; i++) {
		struct json_object *o = json_object_new_object();

		out_text(o, "kind", rows->link[i].kind);
		out_text(o, "from_id", rows->link[i].from_id);
		out_text(o, "to_id", rows->link[i].to_id);
		json_object_array_add(list, o);
	}
}

/* The payload's rows, made again, beside those that are stored. */
static int
compare_rows(struct tooldb *db, const struct config *cfg, const char *payload,
    size_t len, struct json_object *rows_list, struct json_object *links,
    struct err *err)
{
	struct claim_state state;
	struct event ev;
	struct rows rows;
	struct obstack mem;
	const char *why;
	int rc = 0;

	obstack_init(&mem);
	if (event_parse(&ev, &mem, payload, len, &why) == OUT_OK) {
		if (mapping_apply(&rows, &mem, &ev,
		    &cfg->user_metadata_keys) == OUT_OK)
			add_links(&rows, links);
		for (size_t i = 0; i < rows.n && rc == 0; i++) {
			const struct value *key = &rows.row[i].values[0];
			char *id = strndup(key->s, key->len);

			rc = claim_read(db, &rows.row[i], &ev, &state, err);
			if (rc == 0)
				add_row(rows_list, rows.row[i].table->name,
				    id, state.there ? state.source : NULL,
				    state.decides);
			free(id);
		}
		event_drop_json(&ev);
	}
	obstack_free(&mem, NULL);
	return rc;
}

static int
read_effects(struct tooldb *db, const struct config *cfg, const char *id,
    struct json_object *event, const char *payload, size_t len,
    struct err *err)
{
	struct json_object *rows = json_object_new_array();
	struct json_object *links = json_object_new_array();

	json_object_object_add(event, "rows", rows);
	json_object_object_add(event, "links", links);
	if (strcmp(get(event, "status"), "processed") != 0)
		return 0;
	if (payload == NULL)
		return find_rows(db, id, event, rows, err);
	return compare_rows(db, cfg, payload, len, rows, links, err);
}

/* The masked text as part of the object: a tree, or what isn't JSON as text. */
static void
add_payload(struct json_object *event, char **payload, size_t len)
{
	struct json_object *root = NULL;
	size_t masked_len, edits;
	const char *why;
	char *masked;

	if (*payload == NULL) {
		out_text(event, "payload", NULL);
		return;
	}
	masked = redact_mask(*payload, len, &masked_len, &edits);
	free(*payload);
	*payload = masked != NULL ? masked : mem_strdup("(not JSON)");
	if (json_parse(&root, *payload, strlen(*payload), &why) == OUT_OK)
		json_object_object_add(event, "payload", root);
	else
		out_text(event, "payload", *payload);
}

int
event_read(struct tooldb *db, const struct config *cfg, const char *id,
    struct json_object **event, char **payload, struct err *err)
{
	size_t len = 0;

	*event = NULL;
	*payload = NULL;
	if (read_journal(db, id, event, payload, &len, err) != 0)
		return -1;
	if (*event == NULL)
		return 0;
	if (read_attempts(db, id, *event, err) == 0 &&
	    read_effects(db, cfg, id, *event, *payload, len, err) == 0) {
		add_payload(*event, payload, len);
		return 0;
	}
	json_object_put(*event);
	free(*payload);
	return -1;
}
