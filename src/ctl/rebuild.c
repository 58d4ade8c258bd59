/* stripehookctl rebuild: the rows from the journal. */
#include <getopt.h>
#include <json.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "store/db.h"
#include "store/rebuild.h"

struct show {
	bool json;
	bool tty;
	int64_t shown_ms;	/* when progress was last shown */
};

static void
show_json(const struct difference *d)
{
	struct json_object *o = json_object_new_object();

	out_text(o, "table", d->table);
	out_text(o, "id", d->id);
	out_text(o, "column", d->column);
	out_text(o, "stored", d->stored);
	out_text(o, "computed", d->computed);
	out_json(o);
}

static void
found(void *arg, const struct difference *d)
{
	struct show *show = arg;

	if (show->json)
		show_json(d);
	else if (d->missing)
		printf("%s %s: missing\n", d->table, d->id);
	else
		printf("%s %s %s: stored %s, computed %s\n", d->table, d->id,
		    d->column, d->stored != NULL ? d->stored : "NULL",
		    d->computed != NULL ? d->computed : "NULL");
}

static void
progress(void *arg, const struct rebuild *r)
{
	struct show *show = arg;

	if (!show->tty || clock_ms() - show->shown_ms < 500)
		return;
	show->shown_ms = clock_ms();
	fprintf(stderr, "\r%ld of %ld events, %ld rows %s", r->events,
	    r->total, r->rows, r->repair ? "repaired" : "differ");
	if (r->shared > 0)
		fprintf(stderr, "; plans and users: %ld events", r->shared);
	fputs(" ", stderr);
}

static int
run(const struct config *cfg, struct rebuild *r, struct show *show)
{
	struct err err = ERR_INIT;
	int rc;

	r->cfg = cfg;
	r->mysql = db_connect(cfg, DB_ROLE_OWNER, cfg->db_name, 0, &err);
	if (r->mysql == NULL) {
		fputs(err.text, stderr);
		ctl_owner_hint();
		return CTL_UNREACHABLE;
	}
	rc = rebuild_run(r, &err);
	mysql_close(r->mysql);
	if (show->tty)
		fputs("\r\033[K", stderr);
	if (rc != 0) {
		fprintf(stderr, "%snot finished after %ld events; run it "
		    "again%s\n", err.text, r->events,
		    r->repair ? ", it goes on from there" : "");
		return CTL_UNREACHABLE;
	}
	fprintf(show->json ? stderr : stdout, "%ld events, %ld rows %s\n",
	    r->events, r->rows, r->repair ? "repaired" : "differ");
	if (r->left > 0)
		fprintf(stderr, "%ld rows that differed were changed by "
		    "deliveries before they could be repaired; run it again\n",
		    r->left);
	return r->left == 0 && (r->repair || r->rows == 0) ? CTL_DONE : CTL_NO;
}

int
ctl_rebuild(int argc, char **argv)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "restart", no_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 }
	};
	struct show show = { .tty = isatty(STDERR_FILENO) };
	struct rebuild r = { .repair = true, .found = found,
	    .progress = progress, .arg = &show };
	struct config cfg;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'c':
			r.repair = false;
			break;
		case 'j':
			show.json = true;
			break;
		case 'r':
			r.restart = true;
			break;
		default:
			return ctl_usage();
		}
	if (optind < argc)
		return ctl_usage();
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	rc = run(&cfg, &r, &show);
	config_free(&cfg);
	return rc;
}
