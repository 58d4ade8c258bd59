/* Deaths of workers, in words. */
#include "serve/obituary.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/metrics.h"
#include "serve/sandbox.h"
#include "serve/worker.h"

static void
say_how(char *text, size_t size, int status)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "killed by signal %d (%s)%s",
		    WTERMSIG(status), strsignal(WTERMSIG(status)),
		    WCOREDUMP(status) ? ", core dumped" : "");
	else
		snprintf(text, size, "exit status %d", WEXITSTATUS(status));
}

static void
say_when(char *text, size_t size, int64_t wait_ms)
{
	if (wait_ms < 0)
		snprintf(text, size, "not restarted");
	else
		snprintf(text, size, "restarts in %lld ms",
		    (long long)wait_ms);
}

static void
say_refused(unsigned number, int call)
{
	char name[32];

	sandbox_call_name(call, name, sizeof(name));
	log_line(LOG_ERR, "worker %u: SIGSYS: its sandbox does not let it make "
	    "the system call %s (%d). Somebody may have got into it. If not, "
	    "please report this line; until it is mended, "
	    "STRIPEHOOK_SANDBOX=off does without the sandbox", number, name,
	    call);
}

void
obituary(unsigned number, pid_t pid, int status, int64_t lived_ms,
    int64_t wait_ms)
{
	const struct metrics_slot *slot = metrics_slot(number);
	char how[96], when[48];

	say_how(how, sizeof(how), status);
	say_when(when, sizeof(when), wait_ms);
	log_line(LOG_ERR, "worker %u (%s, pid %d) died: %s; lived %lld.%03lld "
	    "s, was %s and %s, had %llu requests in hand; %s", number,
	    pool_names[slot->pool], (int)pid, how,
	    (long long)(lived_ms / 1000), (long long)(lived_ms % 1000),
	    stage_names[slot->stage[ACCEPTOR]],
	    stage_names[slot->stage[COMMITTER]],
	    (unsigned long long)slot->metric[METRIC_IN_FLIGHT], when);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		say_refused(number, slot->refused_call);
}
