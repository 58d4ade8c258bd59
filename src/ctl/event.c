/* stripehookctl event EVT: one event, and what came of it. */
#include <getopt.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/event_read.h"
#include "store/tooldb.h"

static const char *
get(struct json_object *o, const char *key)
{
	const char *s = json_object_get_string(json_object_object_get(o, key));

	return s != NULL ? s : "";
}

static void
print_fields(struct json_object *event)
{
	json_object_object_foreach(event, key, value) {
		if (value == NULL ||
		    json_object_is_type(value, json_type_array) ||
		    json_object_is_type(value, json_type_object) ||
		    strcmp(key, "payload") == 0)
			continue;
		if (json_object_get_string_len(value) == 0 &&
		    json_object_is_type(value, json_type_string))
			continue;
		printf("%-16s ", key);
		out_safe(stdout, json_object_get_string(value), 0);
		putchar('\n');
	}
}

static void
print_attempt(struct json_object *o)
{
	printf("  %.19s  %-9s  ", get(o, "attempted_at"), get(o, "status"));
	out_safe(stdout, get(o, "actor"), 0);
	fputs(get(o, "error")[0] != '\0' ? ": " : "", stdout);
	out_safe(stdout, get(o, "error"), 0);
	putchar('\n');
}

static void
print_row(struct json_object *o)
{
	const char *source = get(o, "source_event_id");

	printf("  %s %s: ", get(o, "table"), get(o, "id"));
	if (json_object_get_boolean(json_object_object_get(o, "decides")))
		puts("decided by this event");
	else if (*source != '\0')
		printf("decided by %s\n", source);
	else
		puts("not there");
}

static void
print_link(struct json_object *o)
{
	printf("  %s: %s -> %s\n", get(o, "kind"), get(o, "from_id"),
	    get(o, "to_id"));
}

static void
print_list(struct json_object *event, const char *key, const char *title,
    void (*print)(struct json_object *o))
{
	struct json_object *list = json_object_object_get(event, key);
	size_t n = json_object_array_length(list);

	if (n == 0)
		return;
	printf("\n%s\n", title);
	for (size_t i = 0; i < n; i++)
		print(json_object_array_get_idx(list, i));
}

/* As it is stored if that has lines, as Stripe's has; else laid out. */
static void
print_payload(struct json_object *event, const char *payload)
{
	struct json_object *root = json_object_object_get(event, "payload");

	fputs("\npayload\n", stdout);
	if (payload == NULL)
		puts("  gone (pruned)");
	else if (strchr(payload, '\n') != NULL || root == NULL)
		out_safe(stdout, payload, 0);
	else
		out_safe(stdout, json_object_to_json_string_ext(root,
		    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
		    JSON_C_TO_STRING_NOSLASHESCAPE), 0);
	putchar('\n');
}

static void
print_text(struct json_object *event, const char *payload)
{
	print_fields(event);
	print_list(event, "attempts", "attempts", print_attempt);
	print_list(event, "rows", "rows", print_row);
	print_list(event, "links", "links", print_link);
	print_payload(event, payload);
}

static int
show(const struct config *cfg, const char *id, bool json)
{
	struct err err = ERR_INIT;
	struct tooldb *db = tooldb_new(cfg, &err);
	struct json_object *event = NULL;
	char *payload = NULL;
	int rc = CTL_UNREACHABLE;

	if (db != NULL &&
	    event_read(db, cfg, id, &event, &payload, &err) == 0) {
		rc = event != NULL ? CTL_DONE : CTL_NO;
		if (event == NULL) {
			fprintf(stderr, "stripehookctl: there is no event "
			    "'%s' in the journal\n", id);
		} else if (json) {
			out_json(event);
		} else {
			print_text(event, payload);
			json_object_put(event);
		}
		free(payload);
	}
	fputs(err.text, stderr);
	tooldb_free(db);
	return rc;
}

int
ctl_event(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	struct config cfg;
	bool json = false;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return ctl_usage();
		json = true;
	}
	if (argc - optind != 1)
		return ctl_usage();
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	rc = show(&cfg, argv[optind], json);
	config_free(&cfg);
	return rc;
}
