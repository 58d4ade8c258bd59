/* The administrator's tool: finds the command and runs it. */
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"
#include "base/wrap.h"
#include "ctl/ctl.h"

static int help(int argc, char **argv);

static const struct ctl_command commands[] = {
	{ "backfill", "backfill [KIND]... [--account ACCT] [--restart] "
	    "[--json]",
	    "Fetches what is older than the first webhook from Stripe's API: "
	    "products, prices, customers, subscriptions, invoices, "
	    "payment_intents, charges, refunds, disputes, setup_intents, "
	    "checkout_sessions, invoice_payments, or those named. "
	    "Interrupted, it goes on where it was.", ctl_backfill },
	{ "check", "check",
	    "Checks settings, database, rights, schema, clock and sockets; "
	    "says of each what is wrong and what to do.", ctl_check },
	{ "demo", "demo --socket PATH [--to URL] [--program TEXT]",
	    "Serves the development server's page: makes payments up and "
	    "delivers their events to this machine, one after the other. "
	    "scripts/run starts it.", ctl_demo },
	{ "dismiss", "dismiss EVENT --reason REASON",
	    "Gives a failed or ignored event up, on the record.",
	    ctl_dismiss },
	{ "event", "event EVENT [--json]",
	    "Shows an event: its payload (client secrets masked), what was "
	    "tried with it, and which rows it decides.", ctl_event },
	{ "events", "events [--status STATUS] [--type TYPE] [--object ID] "
	    "[--since TIME] [--limit N] [--json]",
	    "Lists the newest events, 50 or as said. A '*' in TYPE stands for "
	    "anything; TIME is an age (90s, 15m, 2h, 3d), a date or time "
	    "(UTC), or unix seconds.", ctl_events },
	{ "help", "help [COMMAND]", "Explains a command.", help },
	{ "migrate", "migrate [--print-sql]",
	    "Brings the database's schema, views and accounts up to date. Safe "
	    "to repeat, to interrupt, and to run on two hosts at once.",
	    ctl_migrate },
	{ "prune", "prune [--older-than TIME] [--dry-run] [--batch N] "
	    "[--anew] [--json]",
	    "Deletes payloads older than 90 days, or as said, at least 30; "
	    "not those that rows are made of or that failed. That an event "
	    "came stays known.", ctl_prune },
	{ "rebuild", "rebuild [--check [--json]] [--restart]",
	    "Makes the rows again from the journal, while deliveries go on; "
	    "with --check only compares, and prints each difference.",
	    ctl_rebuild },
	{ "reconcile", "reconcile [--since TIME] [--objects] [--repair] "
	    "[--json]",
	    "Reports the events that Stripe has and the journal lacks, since "
	    "TIME or the last complete run, and marked objects; --repair "
	    "stores and settles them. --objects also compares rows with "
	    "Stripe's objects, column by column.", ctl_reconcile },
	{ "redact", "redact [--older-than TIME] [--path PATH]... [--dry-run] "
	    "[--batch N] [--anew] [--json]",
	    "Blanks e-mail, name, address and the like, or the members and "
	    "JSON pointers said, in payloads older than 30 days. Rows keep "
	    "their values.", ctl_redact },
	{ "replay", "replay EVENT... | --status STATUS | --since TIME "
	    "[--type TYPE] [--json]",
	    "Applies events of the journal again, by today's code: single "
	    "ones, or those of a status, a time, a type.", ctl_replay },
	{ "settings", "settings [--sample | --man | --nginx-origins]",
	    "Prints all settings: to read, as a sample of stripehook.env, or "
	    "for the manual; or the allowed origins, for nginx.",
	    ctl_settings },
	{ "status", "status ID",
	    "Prints the state that the status route gives for an object.",
	    ctl_status },
	{ "token", "token ID [--ttl SECONDS]",
	    "Prints a token with which a browser may ask for the state of one "
	    "object, for 900 seconds or as said.", ctl_token },
	{ "top", "top [--once] [--json]",
	    "Shows what the server is doing, each second until q: rates, "
	    "latency, batches, outcomes, and each worker. --once and --json "
	    "measure for one second.", ctl_top },
	{ "trigger", "trigger [TYPE | PATTERN]... [--shape acacia|basil] "
	    "[--count N] [--shuffle] [--duplicate P] [--to URL] "
	    "[--lifecycle [NAME]...] [--seed N [--born UNIX]] [--rate N] [--connections N] "
	    "[--user ID] [--live] [--same-second] [--stale] [--wrong-secret] "
	    "[--print [--header]] [--json] [--i-mean-it]",
	    "Makes signed events as Stripe would send them and delivers them "
	    "to this machine's server: of the types that fit, or of whole "
	    "lifecycles. Without arguments it lists the types. It signs by "
	    "the first secret that is not labelled 'live:' (the whsec_ of a "
	    "live endpoint can't be told from others: label it).",
	    ctl_trigger },
	{ "verify", "verify [-v] [--now UNIX] [--tolerance SECONDS] --header HEADER "
	    "[--secret-file FILE] BODY-FILE",
	    "Checks a delivery's signature: why does it fail?", ctl_verify },
};

enum { NCOMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void
print_usage(FILE *out)
{
	fputs("usage: stripehookctl [-c FILE]... COMMAND [ARGUMENT]...\n"
	    "       stripehookctl --help | --version\n", out);
}

static void
print_help(void)
{
	print_usage(stdout);
	fputs("\nCommands:\n", stdout);
	for (size_t i = 0; i < NCOMMANDS; i++) {
		wrap_print(stdout, "  ", commands[i].usage);
		wrap_print(stdout, "      ", commands[i].summary);
	}
	fputs("\nOptions:\n"
	    "  -c, --config FILE\n"
	    "      Read settings from FILE (may be repeated, a later one "
	    "wins), not from .env\n"
	    "      or /etc/stripehook/stripehook.env.\n"
	    "\nExit status: 0 done, 1 the answer is no, 2 usage, 3 what it "
	    "needs can't be reached.\n", stdout);
}

/* The command of this name; or NULL, and it is said which may be meant. */
static const struct ctl_command *
find(const char *name)
{
	size_t best = 0, least = SIZE_MAX, distance;

	for (size_t i = 0; i < NCOMMANDS; i++) {
		distance = near_distance(name, strlen(name), commands[i].name);
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
		if (distance < least) {
			least = distance;
			best = i;
		}
	}
	fprintf(stderr, "stripehookctl: there is no command '%s'", name);
	if (least <= 2 || strstr(commands[best].name, name) != NULL)
		fprintf(stderr, "; did you mean '%s'?\n", commands[best].name);
	else
		fputs("; 'stripehookctl --help' lists all\n", stderr);
	return NULL;
}

static int
explain(const struct ctl_command *command)
{
	printf("usage: stripehookctl %s\n\n", command->usage);
	wrap_print(stdout, "", command->summary);
	return CTL_DONE;
}

static int
help(int argc, char **argv)
{
	const struct ctl_command *command;

	if (argc > 2)
		return ctl_usage();
	if (argc == 1) {
		print_help();
		return CTL_DONE;
	}
	command = find(argv[1]);
	return command != NULL ? explain(command) : CTL_USAGE;
}

static int
run(int argc, char **argv, const char *const *files, size_t nfiles)
{
	const struct ctl_command *command = find(argv[0]);

	if (command == NULL)
		return CTL_USAGE;
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return explain(command);
	ctl_begin(command, files, nfiles);
	optind = 0;
	return command->run(argc, argv);
}

/* What was printed and didn't arrive isn't done. */
static int
finish(int status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	fprintf(stderr, "stripehookctl: cannot write: %s\n", strerror(errno));
	return CTL_UNREACHABLE;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	const char **files = mem_calloc((size_t)argc + 1, sizeof(*files));
	size_t nfiles = 0;
	int c, status = -1;

	while (status < 0 &&
	    (c = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
		if (c == 'c') {
			files[nfiles++] = optarg;
		} else if (c == 'h') {
			print_help();
			status = CTL_DONE;
		} else if (c == 'V') {
			puts("stripehookctl " PACKAGE_VERSION);
			status = CTL_DONE;
		} else {
			print_usage(stderr);
			status = CTL_USAGE;
		}
	}
	if (status < 0 && optind == argc) {
		print_usage(stderr);
		fputs("'stripehookctl --help' lists the commands.\n", stderr);
		status = CTL_USAGE;
	}
	if (status < 0)
		status = run(argc - optind, argv + optind, files, nfiles);
	status = finish(status);
	free(files);
	return status;
}
