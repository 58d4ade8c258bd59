/* Opens what reconcile and backfill need, and does what both do. */
#include "ctl/fetch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/clock.h"
#include "ctl/ctl.h"
#include "store/batch.h"
#include "store/intake.h"
#include "store/reconcile.h"
#include "store/snapshot.h"
#include "store/tooldb.h"

static bool progress_shown;

void
fetch_progress(const char *fmt, ...)
{
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fflush(stderr);
	progress_shown = true;
}

void
fetch_progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}

/* Waiting is told to whoever watches, and to the journal of a timer's run. */
static void
say(const char *line)
{
	fetch_progress_end();
	fprintf(stderr, "stripehookctl: %s\n", line);
}

int
fetch_open(struct fetch *f)
{
	struct err err = ERR_INIT;

	memset(f, 0, sizeof(*f));
	if (ctl_config(&f->cfg) != 0)
		return CTL_UNREACHABLE;
	f->now = clock_wall_us() / 1000000;
	srandom((unsigned)clock_wall_us());
	if ((f->api = api_new(&f->cfg, say, &err)) == NULL ||
	    (f->db = tooldb_new(&f->cfg, &err)) == NULL) {
		fprintf(stderr, "stripehookctl: %s", err.text);
		return CTL_UNREACHABLE;
	}
	f->intake = intake_new(&f->cfg);
	return CTL_DONE;
}

void
fetch_close(struct fetch *f)
{
	fetch_progress_end();
	intake_free(f->intake);
	tooldb_free(f->db);
	api_free(f->api);
	config_free(&f->cfg);
}

bool
fetch_sees_mode(const struct fetch *f, bool livemode)
{
	enum livemode mode = api_mode(f->api);

	return mode == LIVEMODE_ANY || (mode == LIVEMODE_LIVE) == livemode;
}

const char *
fetch_mode_name(const struct fetch *f)
{
	static const char *const names[] = {
		[LIVEMODE_ANY] = "any",
		[LIVEMODE_LIVE] = "live",
		[LIVEMODE_TEST] = "test",
	};

	return names[api_mode(f->api)];
}

enum api_result
fetch_object(struct fetch *f, const struct object_ref *ref,
    struct api_answer *answer, struct err *err)
{
	char *id = api_escape(ref->id), path[1024];
	enum api_result result;

	snprintf(path, sizeof(path), "%s/%s", ref->kind->path, id);
	free(id);
	result = api_get(f->api, path, ref->account, answer, err);
	f->denied |= result == API_DENIED || result == API_KEY;
	return result;
}

int64_t
fetch_date(const struct api_answer *answer)
{
	/* The object was read when the request came in, not when it left. */
	return answer->date - answer->lasted;
}

int
fetch_store(struct fetch *f, struct json_object *object, const char *account,
    bool livemode, const struct api_answer *answer, struct err *err)
{
	struct fetched how = { account, livemode, fetch_date(answer),
	    answer->version };
	size_t len;
	char *text = snapshot_text(object, &how, &len);
	int rc = intake_add(f->intake, text, len, ORIGIN_SNAPSHOT, err);

	free(text);
	return rc;
}

struct json_object *
fetch_list(const struct api_answer *answer, bool *more)
{
	struct json_object *data = NULL, *has_more = NULL;

	*more = json_object_object_get_ex(answer->json, "has_more",
	    &has_more) && json_object_get_boolean(has_more);
	if (!json_object_object_get_ex(answer->json, "data", &data) ||
	    !json_object_is_type(data, json_type_array))
		return NULL;
	return data;
}

void
fetch_print_notes(const struct fetch *f)
{
	fetch_progress_end();
	for (const char *line = f->notes.text, *end; *line != '\0';
	    line = end) {
		end = line + strcspn(line, "\n");
		fprintf(stderr, "stripehookctl: %.*s\n", (int)(end - line),
		    line);
		end += *end != '\0';
	}
}

struct json_object *
fetch_notes_json(const struct fetch *f)
{
	struct json_object *list = json_object_new_array();

	for (const char *line = f->notes.text, *end; *line != '\0';
	    line = end) {
		end = line + strcspn(line, "\n");
		json_object_array_add(list, json_object_new_string_len(line,
		    (int)(end - line)));
		end += *end != '\0';
	}
	return list;
}
