/* stripehookd: the daemon's command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/master.h"
#include "store/check.h"

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static void
usage(FILE *out)
{
	fputs("usage: stripehookd [-n] [-c FILE]...\n"
	    "  -c, --config FILE  read settings from FILE (again: a later "
	    "one wins)\n"
	    "  -n, --check        check settings, database and statements, "
	    "then exit\n"
	    "  -h, --help         this text and the settings\n"
	    "  -V, --version      the version\n", out);
}

/* -n: everything short of serving. */
static int
check(const struct config *cfg)
{
	struct err err = ERR_INIT;
	int rc = EX_OK;

	if (cfg->log_file != NULL && log_try(cfg->log_file, &err) != 0)
		rc = EX_CONFIG;
	else if (check_database(cfg, &err) != 0)
		rc = EX_UNAVAILABLE;
	fputs(err.text, stderr);
	if (rc == EX_OK)
		puts("settings, database and statements are ok");
	return rc;
}

static int
start(const char *const *files, size_t nfiles, bool only_check)
{
	struct err err = ERR_INIT, notes = ERR_INIT;
	struct config cfg;
	int rc;

	if (config_load(&cfg, CONFIG_DAEMON, files, nfiles, &err,
	    &notes) != 0) {
		fprintf(stderr, "%sstripehookd: not started: %u setting%s to "
		    "mend\n", err.text, err.count, err.count == 1 ? "" : "s");
		return EX_CONFIG;
	}
	if (log_setup(cfg.log_level, cfg.log_format,
	    only_check ? NULL : cfg.log_file, &err) != 0) {
		fputs(err.text, stderr);
		config_free(&cfg);
		return EX_CONFIG;
	}
	log_err(LOG_WARNING, &notes);
	rc = only_check ? check(&cfg) : master_run(&cfg, files, nfiles);
	config_free(&cfg);
	log_close();
	return rc;
}

int
main(int argc, char **argv)
{
	const char **files = mem_calloc((size_t)argc, sizeof(char *));
	bool only_check = false;
	size_t nfiles = 0;
	int c, rc;

	while ((c = getopt_long(argc, argv, "c:nhV", options, NULL)) != -1)
		switch (c) {
		case 'c':
			files[nfiles++] = optarg;
			break;
		case 'n':
			only_check = true;
			break;
		case 'h':
			usage(stdout);
			putchar('\n');
			config_print_help(stdout);
			return EX_OK;
		case 'V':
			puts("stripehookd " PACKAGE_VERSION);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	if (optind < argc) {
		fprintf(stderr, "stripehookd: unexpected '%s'\n",
		    argv[optind]);
		usage(stderr);
		return EX_USAGE;
	}
	rc = start(files, nfiles, only_check);
	free(files);
	return rc;
}
