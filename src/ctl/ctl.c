/* What main() hands on to the command that runs: settings files, usage. */
#include "ctl/ctl.h"

#include <stdio.h>

#include "base/config.h"
#include "base/err.h"

static const struct ctl_command *running;
static const char *const *config_files;
static size_t nconfig_files;

void
ctl_begin(const struct ctl_command *command, const char *const *files,
    size_t nfiles)
{
	running = command;
	config_files = files;
	nconfig_files = nfiles;
}

void
ctl_owner_hint(void)
{
	fputs("STRIPEHOOK_OWNER_DB_USER and STRIPEHOOK_OWNER_DB_PASSWORD say "
	    "who owns the schema; if another file has them, name it by a "
	    "further -c\n", stderr);
}

int
ctl_usage(void)
{
	fprintf(stderr, "usage: stripehookctl %s\n",
	    running != NULL ? running->usage : "COMMAND");
	return CTL_USAGE;
}

int
ctl_config(struct config *cfg)
{
	struct err err = ERR_INIT, notes = ERR_INIT;

	if (config_load(cfg, CONFIG_CTL, config_files, nconfig_files, &err,
	    &notes) == 0)
		return 0;
	fputs(err.text, stderr);
	return -1;
}
