/* The way into the sandbox, and what is said of it. */
#include "serve/sandbox.h"

#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "serve/sandbox_int.h"
#include "store/db.h"

void
sandbox_hide_memory(void)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_DUMPABLE, 0);
}

/* The filter's answer to a call that isn't listed: told, then death by it. */
static void
on_refused(int sig, siginfo_t *info, void *context)
{
	(void)context;
	metrics_own->refused_call = info->si_syscall;
	raise(sig);
}

static void
catch_refused(void)
{
	struct sigaction sa = { .sa_sigaction = on_refused,
	    /* The handler's own signal finds the default action: the end. */
	    .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGSYS, &sa, NULL);
}

static int
add_call(scmp_filter_ctx filter, const struct sandbox_call *call)
{
	int number = seccomp_syscall_resolve_name(call->name);
	uint32_t action = call->error == 0 ? SCMP_ACT_ALLOW :
	    SCMP_ACT_ERRNO((uint32_t)call->error);
	struct scmp_arg_cmp arg = call->arg;

	/* Unknown here, so that nothing here makes it. */
	if (number < 0)
		return 0;
	if (arg.datum_a == SANDBOX_OWN_PID)
		arg.datum_a = (scmp_datum_t)getpid();
	return seccomp_rule_add_array(filter, action, number, arg.op != 0,
	    &arg);
}

static int
fill(scmp_filter_ctx filter, enum pool pool, const struct sandbox_needs *needs)
{
	int rc = 0;

	for (size_t i = 0; i < sandbox_ncalls && rc == 0; i++) {
		if (sandbox_call_applies(&sandbox_calls[i], pool, needs))
			rc = add_call(filter, &sandbox_calls[i]);
	}
	return rc;
}

static int
filter_calls(enum pool pool, const struct sandbox_needs *needs,
    struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int rc = filter == NULL ? -ENOMEM : 0;

	/*
	 * A tree instead of a chain of comparisons; and not the mitigation for
	 * code that isn't trusted, which older kernels turn on with a filter
	 * and which costs more than all of it.
	 */
	if (rc == 0 &&
	    (rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)) == 0 &&
	    (rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1)) == 0 &&
	    (rc = fill(filter, pool, needs)) == 0)
		rc = seccomp_load(filter);
	if (rc != 0)
		err_add(err, "sandbox: seccomp: %s; set STRIPEHOOK_SANDBOX=off "
		    "if this host can't have it", strerror(-rc));
	seccomp_release(filter);
	return rc == 0 ? 0 : -1;
}

/* Whatever would be read from files later, and then could not be. */
static void
load_all(void)
{
	db_load_all();
	tzset();
	/*
	 * The name service's other modules are libraries, and may do anything;
	 * these two are in glibc.
	 */
	__nss_configure_lookup("hosts", "files dns");
}

int
sandbox_enter(const struct config *cfg, enum pool pool, struct err *err)
{
	struct sandbox_needs needs;
	int abi;

	if (!SANDBOX_BUILT || !cfg->sandbox)
		return 0;
	sandbox_needs(&needs, cfg);
	load_all();
	catch_refused();
	/* Both want it. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (sandbox_landlock_enter(&needs, &abi, err) != 0 ||
	    filter_calls(pool, &needs, err) != 0)
		return -1;
	metrics_own->landlock = abi;
	metrics_own->seccomp = 1;
	return 0;
}

bool
sandbox_describe(const struct config *cfg, char text[SANDBOX_TEXT_MAX])
{
	int abi = sandbox_landlock();
	char landlock[64];

	if (!SANDBOX_BUILT || !cfg->sandbox) {
		snprintf(text, SANDBOX_TEXT_MAX, "off (%s)", SANDBOX_BUILT ?
		    "STRIPEHOOK_SANDBOX" : "not in this build");
		return false;
	}
	if (abi > 0)
		snprintf(landlock, sizeof(landlock), "Landlock %d", abi);
	else
		snprintf(landlock, sizeof(landlock), "no Landlock (%s)",
		    strerror(errno));
	snprintf(text, SANDBOX_TEXT_MAX, "seccomp, %s, no new privileges",
	    landlock);
	return true;
}

void
sandbox_call_name(int number, char *name, size_t size)
{
	char *known = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE,
	    number);

	snprintf(name, size, "%s", known != NULL ? known : "unknown");
	free(known);
}
