/* stripehookctl replay: events of the journal through today's code again. */
#include <getopt.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/ctl_filter.h"
#include "ctl/ctl_out.h"
#include "ctl/fetch.h"
#include "store/filter.h"
#include "store/replay.h"

enum { PROGRESS_MS = 250 };

struct options {
	struct filter filter;
	char *const *ids;
	size_t nids;
	bool json;
};

struct show {
	const struct options *options;
	const struct replayer *replayer;
	bool wrong;		/* something that was asked for isn't well */
	int64_t shown_ms;
};

static void
print_line(const struct replay_result *r)
{
	printf("%s ", r->id);
	if (r->before == NULL)
		out_safe(stdout, r->error, 0);
	else if (strcmp(r->before, r->after) == 0)
		printf("%s as before", r->after);
	else
		printf("%s -> %s", r->before, r->after);
	if (r->before != NULL && r->error[0] != '\0') {
		fputs(": ", stdout);
		out_safe(stdout, r->error, 0);
	}
	putchar('\n');
}

static void
print_object(const struct replay_result *r)
{
	struct json_object *o = json_object_new_object();

	out_text(o, "stripe_event_id", r->id);
	out_text(o, "event_type", r->type);
	out_text(o, "before", r->before);
	out_text(o, "status", r->after);
	out_text(o, "error", r->error[0] != '\0' ? r->error : NULL);
	out_json(o);
}

/* Of many events only what somebody should look at gets a line. */
static bool
is_news(const struct show *show, const struct replay_result *r)
{
	if (show->options->nids > 0 || strcmp(r->before, r->after) != 0)
		return true;
	/* Of those that were well and can't be tried the number will do. */
	return r->error[0] != '\0' &&
	    (r->tried || strcmp(r->before, "processed") != 0);
}

static void
said(void *arg, const struct replay_result *r)
{
	const struct replay_counts *c;
	struct show *show = arg;

	if (show->options->json) {
		print_object(r);
	} else if (is_news(show, r)) {
		fetch_progress_end();
		print_line(r);
	}
	if (r->error[0] != '\0' && (show->options->nids > 0 ||
	    strcmp(r->before, "failed") == 0) &&
	    (r->after == NULL || strcmp(r->after, "ignored") != 0))
		show->wrong = true;
	if (clock_ms() - show->shown_ms < PROGRESS_MS)
		return;
	show->shown_ms = clock_ms();
	c = replay_counts(show->replayer);
	fetch_progress("%zu replayed, %zu still fail", c->processed +
	    c->again + c->ignored + c->failed, c->failed);
}

static void
print_counts(const struct replay_counts *c, bool json)
{
	const struct {
		const char *key;
		size_t n;
		const char *text;
	} counts[] = {
		{ "processed", c->processed, "now processed" },
		{ "again", c->again, "processed as before" },
		{ "ignored", c->ignored, "ignored" },
		{ "failed", c->failed, "failed" },
		{ "gone", c->gone, "without a payload" },
		{ "redacted", c->redacted, "redacted and left alone" },
		{ "missing", c->missing, "not in the journal" },
	};
	struct json_object *o = json ? json_object_new_object() : NULL;
	const char *separator = "";

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (json) {
			out_int(o, counts[i].key, (long long)counts[i].n);
		} else if (counts[i].n > 0 || i == 0) {
			printf("%s%zu %s", separator, counts[i].n,
			    counts[i].text);
			separator = ", ";
		}
	}
	if (json)
		out_json(o);
	else
		putchar('\n');
}

static int
replay(const struct config *cfg, const struct options *o)
{
	struct show show = { .options = o };
	struct err err = ERR_INIT;
	char actor[ACTOR_MAX];
	struct replayer *r;
	int rc;

	out_actor(actor);
	if ((r = replayer_new(cfg, actor, &err)) == NULL) {
		fputs(err.text, stderr);
		return CTL_UNREACHABLE;
	}
	show.replayer = r;
	rc = o->nids > 0 ?
	    replay_ids(r, o->ids, o->nids, said, &show, &err) :
	    replay_filter(r, &o->filter, said, &show, &err);
	fetch_progress_end();
	fputs(err.text, stderr);
	print_counts(replay_counts(r), o->json);
	show.wrong |= replay_counts(r)->failed > 0;
	replayer_free(r);
	if (rc != 0)
		return CTL_UNREACHABLE;
	return show.wrong ? CTL_NO : CTL_DONE;
}

int
ctl_replay(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_FILTER_OPTIONS,
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	struct options o = { .json = false };
	struct config cfg;
	bool all;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'j')
			o.json = true;
		else if (filter_option(&o.filter, c, optarg) != 0)
			return ctl_usage();
	}
	o.ids = argv + optind;
	o.nids = (size_t)(argc - optind);
	all = o.filter.status != NULL || o.filter.since_us != 0;
	if (o.nids > 0 ? all || o.filter.type != NULL : !all)
		return ctl_usage();
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	rc = replay(&cfg, &o);
	config_free(&cfg);
	return rc;
}
