/* stripehookctl migrate: schema, views and accounts up to date. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/config.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "store/accounts.h"
#include "store/db.h"
#include "store/migrate.h"

static int
run(const struct config *cfg)
{
	struct err err = ERR_INIT;
	MYSQL *mysql = db_connect(cfg, DB_ROLE_OWNER, NULL, 0, &err);
	int rc = CTL_DONE;

	if (mysql == NULL) {
		fputs(err.text, stderr);
		ctl_owner_hint();
		return CTL_UNREACHABLE;
	}
	/* Lines appear as things are done, also in a pipe. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (migrate(mysql, cfg, stdout, &err) != 0)
		rc = CTL_NO;
	fputs(err.text, stderr);
	mysql_close(mysql);
	return rc;
}

int
ctl_migrate(int argc, char **argv)
{
	static const struct option options[] = {
		{ "print-sql", no_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 }
	};
	bool print = false;
	struct config cfg;
	int c, rc = CTL_DONE;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'p')
			return ctl_usage();
		print = true;
	}
	if (optind < argc)
		return ctl_usage();
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	if (print)
		accounts_print(&cfg, stdout);
	else
		rc = run(&cfg);
	config_free(&cfg);
	return rc;
}
