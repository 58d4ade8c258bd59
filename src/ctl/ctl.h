/* What stripehookctl's commands share with their main program. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stddef.h>

struct config;

/* Exit statuses; scripts rely on them. */
enum {
	CTL_DONE = 0,
	CTL_NO = 1,		/* done, and the answer is no */
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3	/* settings, database, API: not to be had */
};

struct ctl_command {
	const char *name;
	const char *usage;	/* its arguments, as in "token ID [--ttl S]" */
	const char *summary;	/* one sentence or a few, for help */
	/*
	 * Gets the arguments from the command's name on, with getopt(3) reset.
	 * Returns an exit status.
	 */
	int (*run)(int argc, char **argv);
};

int ctl_backfill(int argc, char **argv);
int ctl_check(int argc, char **argv);
int ctl_demo(int argc, char **argv);
int ctl_dismiss(int argc, char **argv);
int ctl_event(int argc, char **argv);
int ctl_events(int argc, char **argv);
int ctl_migrate(int argc, char **argv);
int ctl_prune(int argc, char **argv);
int ctl_rebuild(int argc, char **argv);
int ctl_reconcile(int argc, char **argv);
int ctl_redact(int argc, char **argv);
int ctl_replay(int argc, char **argv);
int ctl_settings(int argc, char **argv);
int ctl_status(int argc, char **argv);
int ctl_token(int argc, char **argv);
int ctl_top(int argc, char **argv);
int ctl_trigger(int argc, char **argv);
int ctl_verify(int argc, char **argv);

/*
 * Loads the settings, from the files that --config named, else from the usual
 * places. Returns 0, the caller then frees *cfg; or -1 with every problem
 * printed, and the command ends with CTL_UNREACHABLE.
 */
int ctl_config(struct config *cfg) __attribute__((warn_unused_result));

/* Says on standard error where the owner's account is set. */
void ctl_owner_hint(void);

/* Prints the running command's usage on standard error; returns CTL_USAGE. */
int ctl_usage(void);

/* For main(): the command that runs, the files that --config named. */
void ctl_begin(const struct ctl_command *command, const char *const *files,
    size_t nfiles);

#endif
