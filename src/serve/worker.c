/* The common ground of worker processes. */
#include "serve/worker.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "http/gate.h"
#include "http/request.h"
#include "serve/sandbox.h"

enum { DRAIN_MAX_MS = 5000 };	/* accepting goes on after TERM */

/* Set by handlers, which run inside worker_wait() alone. */
static volatile sig_atomic_t got_term, got_retire, got_reopen;

static void on_term(int sig) { (void)sig; got_term = 1; }
static void on_retire(int sig) { (void)sig; got_retire = 1; }
static void on_reopen(int sig) { (void)sig; got_reopen = 1; }

/* Signals of a worker; sent by the master (serve/master.c) and the kernel. */
static const struct {
	int sig;
	void (*handler)(int);
} handlers[] = {
	{ SIGTERM, on_term },
	{ SIGUSR2, on_retire },
	{ SIGUSR1, on_reopen },
	{ SIGINT, SIG_IGN },	/* Ctrl-C is the master's to act on */
	{ SIGHUP, SIG_IGN },
	{ SIGPIPE, SIG_IGN },
	{ SIGXFSZ, SIG_IGN },	/* a file size limit costs log lines */
	{ SIGCHLD, SIG_DFL },
};

static sigset_t wait_mask;	/* in force inside worker_wait() */

static void
install_signals(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sigfillset(&wait_mask);
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		sa.sa_handler = handlers[i].handler;
		sigaction(handlers[i].sig, &sa, NULL);
		sigdelset(&wait_mask, handlers[i].sig);
	}
}

/* Returns 0, or -1 after a log line. */
static int
drop_privileges(const char *user)
{
	struct passwd *pw;

	if (user == NULL || geteuid() != 0)
		return 0;
	if ((pw = getpwnam(user)) == NULL) {
		log_line(LOG_ERR, "STRIPEHOOK_USER: there is no user %s",
		    user);
		return -1;
	}
	if (initgroups(user, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
	    setuid(pw->pw_uid) != 0 ||
	    (pw->pw_uid != 0 && setuid(0) == 0)) {
		log_line(LOG_ERR, "cannot become user %s: %s", user,
		    strerror(errno));
		return -1;
	}
	return 0;
}

int
worker_enter(const struct worker *w, int master)
{
	struct err err = ERR_INIT;
	char name[16];

	snprintf(name, sizeof(name), "sh-%s-%u", pool_names[w->pool],
	    w->index);
	prctl(PR_SET_NAME, name);
	log_module(pool_names[w->pool]);
	/* libfcgi leaves alone what has a handler, so ours come first. */
	install_signals();
	if (drop_privileges(w->cfg->user) != 0)
		return -1;
	/* Setting another user has undone it. */
	sandbox_hide_memory();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* Cleared by setuid, so after it; and the master may be gone by now. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != master)
		return -1;
	if (request_library_init((size_t)w->cfg->body_max) != 0) {
		log_line(LOG_ERR, "libfcgi can't be set up");
		return -1;
	}
	if (sandbox_enter(w->cfg, w->pool, &err) != 0) {
		log_err(LOG_ERR, &err);
		return -1;
	}
	return 0;
}

/* The newest file that the master has sent. */
static void
change_log(const struct worker *w)
{
	int fd;

	got_reopen = 0;
	while ((fd = fdpass_receive(w->channel)) >= 0)
		log_adopt(fd);
}

enum worker_next
worker_wait(const struct worker *w, int timeout_ms, bool listens)
{
	static int64_t drain_until;	/* 0: not draining */
	/* New connections, and those whose request isn't whole yet. */
	struct pollfd pfds[] = { { .fd = listens || drain_until != 0 ?
	    w->fd : -1, .events = POLLIN },
	    { .fd = gate_fd(), .events = POLLIN } };
	struct timespec ts = { timeout_ms / 1000,
	    (long)(timeout_ms % 1000) * 1000000 };
	const struct timespec none = { 0, 0 };
	bool draining = drain_until != 0, waits = gate_waits();
	int n = ppoll(pfds, 2, draining && !waits ? &none : &ts, &wait_mask);

	if (got_reopen)
		change_log(w);
	if ((got_term || (got_retire && waits)) && !draining)
		drain_until = clock_ms() + DRAIN_MAX_MS;
	if ((got_retire && !waits) ||
	    (draining && clock_ms() > drain_until))
		return WORKER_END;
	if (n > 0)
		return WORKER_ACCEPT;
	return draining && !waits ? WORKER_END : WORKER_IDLE;
}

void
worker_beat(unsigned thread, enum stage stage)
{
	atomic_store_explicit(&metrics_own->stage[thread], stage,
	    memory_order_relaxed);
	atomic_store_explicit(&metrics_own->beat_ms[thread], clock_ms(),
	    memory_order_relaxed);
}
