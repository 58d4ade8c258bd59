/* check: what the running workers can do, by their own and the kernel's word. */
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "base/config.h"
#include "base/err.h"
#include "base/metrics.h"
#include "ctl/check_int.h"
#include "serve/sandbox.h"

/* What proc_pid_status(5) tells of a process. */
struct process {
	int filtered;		/* 2: seccomp, by a list of system calls */
	int no_new_privs;
	uid_t uid;
};

static bool
look(struct process *p, int pid)
{
	char path[64], line[256];
	unsigned n = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if ((in = fopen(path, "re")) == NULL)
		return false;
	while (fgets(line, sizeof(line), in) != NULL)
		n += sscanf(line, "Seccomp: %d", &p->filtered) == 1 ||
		    sscanf(line, "NoNewPrivs: %d", &p->no_new_privs) == 1 ||
		    sscanf(line, "Uid: %u", &p->uid) == 1;
	fclose(in);
	return n == 3;
}

/* Looks at one worker, and says what is wrong with it or whose it is. */
static void
check_worker(const struct metrics_slot *slot, struct err *err,
    const char **user)
{
	struct process p;
	struct passwd *pw;

	if (!look(&p, slot->pid))
		return;
	if (p.filtered != 2 || !p.no_new_privs || !slot->seccomp)
		err_add(err, "worker %d (%s) is in no sandbox: restart "
		    "stripehookd", (int)slot->pid, pool_names[slot->pool]);
	else if (slot->landlock == 0 && sandbox_landlock() > 0)
		err_add(err, "worker %d (%s) has no Landlock, but this kernel "
		    "does: what surrounds stripehookd forbids it; in the unit, "
		    "SystemCallFilter must name the landlock calls",
		    (int)slot->pid, pool_names[slot->pool]);
	pw = getpwuid(p.uid);
	*user = pw != NULL ? pw->pw_name : "a user without a name";
}

void
check_sandbox(const struct config *cfg, struct err *err, struct err *info)
{
	char text[SANDBOX_TEXT_MAX];
	const char *user = NULL;
	struct err ignored = ERR_INIT;
	bool running = metrics_open(cfg->scoreboard, &ignored) == 0;
	bool wanted = sandbox_describe(cfg, text);

	for (unsigned i = 0; running && wanted && i < METRICS_SLOTS; i++) {
		const struct metrics_slot *slot = metrics_slot(i);

		if (slot->pid != 0 && slot->ready_ms != 0)
			check_worker(slot, err, &user);
	}
	if (wanted && user == NULL)
		err_add(info, "no worker is running; it would have: %s", text);
	else if (wanted)
		err_add(info, "%s, user %s", text, user);
	else
		err_add(info, "%s", text);
}
