/* stripehookctl dismiss: an event that will never work is given up. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "store/dismiss.h"
#include "store/tooldb.h"

enum { REASON_CHARS = 400 };	/* the column has some more */

static int
dismiss(const struct config *cfg, const char *id, const char *reason)
{
	char actor[ACTOR_MAX], before[STATUS_MAX];
	struct err err = ERR_INIT;
	struct tooldb *db = tooldb_new(cfg, &err);
	int rc = CTL_UNREACHABLE;

	out_actor(actor);
	if (db == NULL || dismiss_event(db, id, reason, actor, before,
	    &err) != 0)
		fputs(err.text, stderr);
	else if (strcmp(before, "failed") == 0 ||
	    strcmp(before, "ignored") == 0) {
		printf("%s %s -> dismissed\n", id, before);
		rc = CTL_DONE;
	} else {
		fprintf(stderr, before[0] == '\0' ?
		    "stripehookctl: %s: there is no such event\n" :
		    "stripehookctl: %s is %s: only failed and ignored events "
		    "can be dismissed\n", id, before);
		rc = CTL_NO;
	}
	tooldb_free(db);
	return rc;
}

int
ctl_dismiss(int argc, char **argv)
{
	static const struct option options[] = {
		{ "reason", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 }
	};
	const char *reason = "";
	struct config cfg;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'r')
			return ctl_usage();
		reason = optarg;
	}
	if (argc - optind != 1)
		return ctl_usage();
	if (reason[strspn(reason, " \t\n")] == '\0' ||
	    strlen(reason) > REASON_CHARS) {
		fprintf(stderr, "stripehookctl: --reason: say why, in at most "
		    "%d bytes\n", REASON_CHARS);
		return ctl_usage();
	}
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	rc = dismiss(&cfg, argv[optind], reason);
	config_free(&cfg);
	return rc;
}
