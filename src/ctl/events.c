/* stripehookctl events: the journal, newest first. */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/ctl_filter.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_time.h"
#include "store/filter.h"
#include "store/tooldb.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 100000 };

/* Fields of a row, in the order of the SELECT. */
enum {
	F_ID, F_RECEIVED, F_SHOWN, F_TYPE, F_STATUS, F_OBJECT, F_DELIVERIES,
	F_ERROR, F_ACCOUNT, F_LIVEMODE, F_API_VERSION, F_CREATED, F_PROCESSED,
	F_ORIGIN, F__MAX
};

#define ISO_US "'%Y-%m-%dT%H:%i:%s.%fZ'"
#define COLUMNS "stripe_event_id, created_at, DATE_FORMAT(created_at, " \
	ISO_US "), event_type, status, object_id, deliveries, error, " \
	"account, livemode, api_version, DATE_FORMAT(created, " \
	"'%Y-%m-%dT%H:%i:%sZ'), DATE_FORMAT(processed_at, " ISO_US "), origin"

/* The columns of the text form; the last one isn't padded. */
static const struct column {
	const char *title;
	unsigned field;
	size_t cut;		/* characters of the field; 0: all */
} columns[] = {
	{ "RECEIVED", F_RECEIVED, 19 },
	{ "EVENT", F_ID, 0 },
	{ "TYPE", F_TYPE, 0 },
	{ "STATUS", F_STATUS, 0 },
	{ "OBJECT", F_OBJECT, 0 },
	{ "COUNT", F_DELIVERIES, 0 },
	{ "ERROR", F_ERROR, 0 },
};

enum { NCOLUMNS = sizeof(columns) / sizeof(columns[0]) };

static size_t
cell_width(const struct column *c, const char *text)
{
	size_t len = strlen(text);

	return c->cut != 0 && len > c->cut ? c->cut : len;
}

static void
measure(size_t widths[NCOLUMNS], MYSQL_RES *res)
{
	MYSQL_ROW row;

	for (size_t i = 0; i < NCOLUMNS; i++)
		widths[i] = strlen(columns[i].title);
	while ((row = mysql_fetch_row(res)) != NULL)
		for (size_t i = 0; i + 1 < NCOLUMNS; i++) {
			size_t w = cell_width(&columns[i],
			    row[columns[i].field]);

			if (w > widths[i])
				widths[i] = w;
		}
	mysql_data_seek(res, 0);
}

/* A line of cells; room is what is left for the last one, 0 for all. */
static void
print_line(const size_t widths[NCOLUMNS], const char *const cells[NCOLUMNS],
    size_t room)
{
	for (size_t i = 0; i + 1 < NCOLUMNS; i++) {
		size_t n = out_safe(stdout, cells[i], columns[i].cut);

		/* No spaces at the end of a line. */
		if (i + 2 < NCOLUMNS || cells[i + 1][0] != '\0')
			printf("%*s", (int)(widths[i] - n) + 2, "");
	}
	out_safe(stdout, cells[NCOLUMNS - 1], room);
	putchar('\n');
}

static void
print_table(MYSQL_RES *res)
{
	size_t widths[NCOLUMNS], terminal = out_columns(), used = 0, room = 0;
	const char *cells[NCOLUMNS];
	MYSQL_ROW row;

	measure(widths, res);
	for (size_t i = 0; i + 1 < NCOLUMNS; i++)
		used += widths[i] + 2;
	if (terminal > 0)
		room = terminal > used + 8 ? terminal - used : 8;
	for (size_t i = 0; i < NCOLUMNS; i++)
		cells[i] = columns[i].title;
	print_line(widths, cells, room);
	while ((row = mysql_fetch_row(res)) != NULL) {
		for (size_t i = 0; i < NCOLUMNS; i++) {
			const char *text = row[columns[i].field];

			cells[i] = text != NULL ? text : "";
		}
		print_line(widths, cells, room);
	}
}

static void
print_objects(MYSQL_RES *res)
{
	static const struct {
		const char *key;
		unsigned field;
	} texts[] = {
		{ "stripe_event_id", F_ID }, { "event_type", F_TYPE },
		{ "object_id", F_OBJECT }, { "status", F_STATUS },
		{ "error", F_ERROR }, { "account", F_ACCOUNT },
		{ "api_version", F_API_VERSION }, { "created", F_CREATED },
		{ "created_at", F_SHOWN }, { "processed_at", F_PROCESSED },
		{ "origin", F_ORIGIN },
	};
	MYSQL_ROW row;

	while ((row = mysql_fetch_row(res)) != NULL) {
		struct json_object *o = json_object_new_object();

		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			out_text(o, texts[i].key, row[texts[i].field]);
		json_object_object_add(o, "livemode",
		    json_object_new_boolean(row[F_LIVEMODE][0] == '1'));
		out_int(o, "deliveries", strtoll(row[F_DELIVERIES], NULL, 10));
		out_json(o);
	}
}

static int
list(const struct config *cfg, const struct filter *filter, bool json)
{
	struct err err = ERR_INIT;
	struct tooldb *db = tooldb_new(cfg, &err);
	MYSQL_RES *res;
	int rc = CTL_UNREACHABLE;

	if (db != NULL && filter_read(db, filter, COLUMNS, &res, &err) == 0) {
		if (json)
			print_objects(res);
		else if (mysql_num_rows(res) > 0)
			print_table(res);
		else
			fputs("no such events\n", stderr);
		mysql_free_result(res);
		rc = CTL_DONE;
	}
	fputs(err.text, stderr);
	tooldb_free(db);
	return rc;
}

static int
parse_limit(const char *text, size_t *limit)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0 && n >= 1 &&
	    n <= LIMIT_MAX) {
		*limit = (size_t)n;
		return 0;
	}
	fprintf(stderr, "stripehookctl: --limit: '%s' is not a number from 1 "
	    "to %d\n", text, LIMIT_MAX);
	return -1;
}

int
ctl_events(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_FILTER_OPTIONS,
		{ "object", required_argument, NULL, 'o' },
		{ "limit", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	struct filter filter = { .newest = true, .limit = LIMIT_DEFAULT };
	struct config cfg;
	bool json = false;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'o')
			filter.object = optarg;
		else if (c == 'j')
			json = true;
		else if (c == 'l' ? parse_limit(optarg, &filter.limit) != 0 :
		    filter_option(&filter, c, optarg) != 0)
			return ctl_usage();
	}
	if (optind < argc)
		return ctl_usage();
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	rc = list(&cfg, &filter, json);
	config_free(&cfg);
	return rc;
}
