/* Signals in, generations of workers out. */
#include "serve/master.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "serve/news.h"
#include "serve/pool.h"
#include "serve/sandbox.h"

enum {
	TICK_MS = 100,
	FILES_MS = 1000	/* between looks at the files that workers read */
};

struct master {
	struct config *cfg;
	const char *const *files;
	size_t nfiles;
	struct pools pools;
	bool starting;		/* the generation isn't ready yet */
	bool reload_again;	/* HUP came meanwhile */
	bool stop;
	struct sandbox_stamp stamp;	/* of the files that workers read */
	int64_t look_ms;	/* when to look at them again */
};

static void on_stop(struct master *m);
static void on_reload(struct master *m);
static void on_reopen(struct master *m);
static void on_child(struct master *m);

/* What each signal does; all others are let be. */
static const struct {
	int sig;
	void (*act)(struct master *);
} signals[] = {
	{ SIGTERM, on_stop },
	{ SIGINT, on_stop },
	{ SIGQUIT, on_stop },
	{ SIGHUP, on_reload },
	{ SIGUSR1, on_reopen },
	{ SIGCHLD, on_child },
};

/* A socket of this path from the service manager, or -1. */
static int
inherited(const char *path)
{
	int n = sd_listen_fds(0);

	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
		if (sd_is_socket_unix(fd, SOCK_STREAM, 1, path, 0) > 0)
			return fd;
	return -1;
}

static int
open_listener(struct listener *l, const char *path, const char *group,
    struct err *err)
{
	int fd = inherited(path);

	return fd >= 0 ? listener_inherit(l, path, fd, err) :
	    listener_open(l, path, group, err);
}

static int
open_all(struct master *m, struct err *err)
{
	const struct config *cfg = m->cfg;
	struct pool_info *info = m->pools.info;
	int rc = 0;

	if (open_listener(&info[POOL_INGEST].listener, cfg->ingest_socket,
	    cfg->socket_group, err) != 0)
		rc = -1;
	if (open_listener(&info[POOL_STATUS].listener, cfg->status_socket,
	    cfg->socket_group, err) != 0)
		rc = -1;
	/* Only who holds the locks may replace the scoreboard. */
	if (rc == 0 && (metrics_create(cfg->scoreboard, err) != 0 ||
	    news_create(err) != 0))
		rc = -1;
	return rc;
}

static void
begin_generation(struct master *m)
{
	m->pools.cfg = m->cfg;
	m->starting = true;
	sandbox_stamp(&m->stamp, m->cfg);
	pools_start(&m->pools);
}

static void
on_stop(struct master *m)
{
	if (m->stop) {
		log_line(LOG_NOTICE, "told to stop again: not waiting");
		pools_signal(&m->pools, SIGKILL);
		return;
	}
	log_line(LOG_NOTICE, "stopping");
	sd_notify(0, "STOPPING=1");
	m->stop = m->pools.stopping = true;
	/* First the paths: nobody new comes, who waits is served. */
	for (unsigned i = 0; i < POOL__MAX; i++)
		listener_unlink(&m->pools.info[i].listener);
	pools_signal(&m->pools, SIGTERM);
}

/* Reads the settings anew; the old ones stay if the new ones are no good. */
static int
read_settings(struct master *m)
{
	struct config *cfg = calloc(1, sizeof(*cfg));
	struct err err = ERR_INIT, notes = ERR_INIT;

	if (cfg == NULL || config_load(cfg, CONFIG_DAEMON, m->files,
	    m->nfiles, &err, &notes) != 0 || log_setup(cfg->log_level,
	    cfg->log_format, cfg->log_file, &err) != 0) {
		log_err(LOG_ERR, &err);
		if (cfg != NULL)
			config_free(cfg);
		free(cfg);
		return -1;
	}
	config_fixed_diff(m->cfg, cfg, &notes);
	log_err(LOG_WARNING, &notes);
	config_free(m->cfg);
	*m->cfg = *cfg;
	free(cfg);
	return 0;
}

static void
on_reload(struct master *m)
{
	if (m->stop)
		return;
	if (m->starting) {
		m->reload_again = true;
		return;
	}
	sd_notify(0, "RELOADING=1");
	log_line(LOG_NOTICE, "reloading");
	if (read_settings(m) == 0) {
		atomic_fetch_add(&metrics_master()->reloads, 1);
		begin_generation(m);
	} else {
		log_line(LOG_ERR, "not reloaded: the old settings stay");
		atomic_fetch_add(&metrics_master()->reloads_failed, 1);
		sd_notify(0, "READY=1");
	}
}

static void
on_reopen(struct master *m)
{
	struct err err = ERR_INIT;

	if (log_reopen(&err) != 0)
		log_err(LOG_ERR, &err);
	pools_change_log(&m->pools);
}

static void
on_child(struct master *m)
{
	pools_reap(&m->pools);
}

static const char *
user_of_workers(const struct config *cfg)
{
	const struct passwd *pw;

	if (cfg->user != NULL && geteuid() == 0)
		return cfg->user;
	pw = getpwuid(geteuid());
	return pw != NULL ? pw->pw_name : "without a name";
}

/* When the new generation serves, the old one may go. */
static void
end_start(struct master *m)
{
	char sandbox[SANDBOX_TEXT_MAX];

	if (!m->starting || !pools_ready(&m->pools))
		return;
	m->starting = false;
	pools_retire_old(&m->pools);
	sd_notify(0, "READY=1\nSTATUS=Serving");
	(void)sandbox_describe(m->cfg, sandbox);
	log_line(LOG_NOTICE, "serving with %ld ingest and %ld status workers; "
	    "sandbox: %s; user %s", m->cfg->ingest_workers,
	    m->cfg->status_workers, sandbox, user_of_workers(m->cfg));
	if (m->reload_again) {
		m->reload_again = false;
		on_reload(m);
	}
}

/* A worker can read a file that its sandbox let it at, not its successor. */
static void
look_at_files(struct master *m)
{
	const char *path;

	if (m->starting || clock_ms() < m->look_ms)
		return;
	m->look_ms = clock_ms() + FILES_MS;
	if ((path = sandbox_replaced(&m->stamp, m->cfg)) == NULL)
		return;
	log_line(LOG_NOTICE, "%s was replaced: new workers will read it",
	    path);
	begin_generation(m);
}

static void
act_on(struct master *m, int sig)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (signals[i].sig == sig)
			signals[i].act(m);
}

static void
supervise(struct master *m, const sigset_t *set)
{
	const struct timespec tick = { 0, TICK_MS * 1000000L };
	int sig;

	while (!m->stop || pools_alive(&m->pools) > 0) {
		if ((sig = sigtimedwait(set, NULL, &tick)) > 0)
			act_on(m, sig);
		/* SIGCHLDs merge, and one may come before its handler's turn. */
		pools_reap(&m->pools);
		pools_tick(&m->pools, clock_ms());
		if (!m->stop) {
			end_start(m);
			look_at_files(m);
		}
		sd_notify(0, "WATCHDOG=1");
	}
}

int
master_run(struct config *cfg, const char *const *files, size_t nfiles)
{
	struct master m = { .cfg = cfg, .files = files, .nfiles = nfiles };
	struct err err = ERR_INIT;
	sigset_t set;

	log_module("master");
	sandbox_hide_memory();
	umask(027);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i].sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	pools_init(&m.pools);
	if (open_all(&m, &err) != 0) {
		log_err(LOG_ERR, &err);
		pools_free(&m.pools);
		return EX_UNAVAILABLE;
	}
	metrics_master()->started = time(NULL);
	log_line(LOG_NOTICE, "starting on %s and %s", cfg->ingest_socket,
	    cfg->status_socket);
	begin_generation(&m);
	supervise(&m, &set);
	for (unsigned i = 0; i < POOL__MAX; i++)
		listener_unlink(&m.pools.info[i].listener);
	pools_free(&m.pools);
	log_line(LOG_NOTICE, "stopped");
	return EX_OK;
}
