/* stripehookctl top: what the server is doing, from its scoreboard. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/metrics.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/top_sample.h"
#include "ctl/top_show.h"

enum { PERIOD_MS = 1000 };

struct top {
	const char *path;
	dev_t dev;		/* of the scoreboard that is open */
	ino_t ino;
	struct top_sample sample[2];
	struct top_sample *from, *to;
};

static const char *
remedy(const char *path)
{
	if (access(path, F_OK) != 0)
		return "is stripehookd running? STRIPEHOOK_SCOREBOARD must "
		    "name the file that it was started with";
	if (access(path, R_OK) != 0)
		return "run it as root, or as a member of the file's group";
	return "use the stripehookctl of the stripehookd that runs, or "
	    "restart that";
}

/*
 * A master makes a new scoreboard: that is then opened, and both readings are
 * the first. Returns 0, or -1 with the reason in err.
 */
static int
take(struct top *top, struct err *err)
{
	struct stat st;
	bool anew = stat(top->path, &st) != 0 || st.st_dev != top->dev ||
	    st.st_ino != top->ino;
	struct top_sample *old = top->from;

	if (anew && metrics_open(top->path, err) != 0) {
		top->ino = 0;
		err_add(err, "%s", remedy(top->path));
		return -1;
	}
	top->from = top->to;
	top->to = old;
	top_read(top->to);
	if (anew) {
		top->dev = st.st_dev;
		top->ino = st.st_ino;
		*top->from = *top->to;
	}
	return 0;
}

static volatile sig_atomic_t ended;

static void
end(int sig)
{
	(void)sig;
	ended = 1;
}

/* The time-out is over, or a key was pressed: whether to go on. */
static bool
wait_key(int64_t due_ms, const sigset_t *open)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left;
	char key;

	while (!ended && (left = due_ms - clock_ms()) > 0) {
		struct timespec ts = { left / 1000, left % 1000 * 1000000 };

		if (ppoll(&in, 1, &ts, open) <= 0)
			continue;
		if (read(STDIN_FILENO, &key, 1) != 1)
			in.fd = -1;
		else if (key == 'q' || key == 'Q')
			return false;
	}
	return !ended;
}

/* Lines that are too long or too many would scroll the screen. */
static void
draw(const char *text)
{
	struct winsize size = { .ws_row = 0 };
	unsigned rows = 0;

	/* A terminal that doesn't know says 0. */
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 ||
	    size.ws_col == 0)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	fputs("\033[H", stdout);
	while (*text != '\0' && ++rows < size.ws_row) {
		size_t len = strcspn(text, "\n");

		printf("%.*s\033[K\r\n", (int)(len < size.ws_col ? len :
		    size.ws_col), text);
		text += len + (text[len] == '\n');
	}
	fputs("\033[J", stdout);
	fflush(stdout);
}

static void
refresh(struct top *top)
{
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		abort();
	if (take(top, &err) == 0)
		top_print(out, top->from, top->to);
	else
		fputs(err.text, out);
	if (fclose(out) != 0)
		abort();
	draw(text);
	free(text);
}

/* Until q or a signal; the terminal is then as it was. */
static void
live(struct top *top)
{
	struct sigaction action = { .sa_handler = end };
	const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct termios before, quiet;
	bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	sigset_t closed, open;

	sigemptyset(&closed);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaddset(&closed, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &closed, &open);
	if (terminal) {
		quiet = before;
		quiet.c_lflag &= (tcflag_t)~(ICANON | ECHO);
		/* Stopped, it would leave the terminal so. */
		quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	fputs("\033[?1049h\033[?25l", stdout);
	do
		refresh(top);
	while (wait_key(top->to->at_ms + PERIOD_MS, &open));
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

static int
run(const char *path, bool once, bool json)
{
	static struct top top;
	struct err err = ERR_INIT;

	top.path = path;
	top.from = &top.sample[0];
	top.to = &top.sample[1];
	if (take(&top, &err) != 0) {
		fputs(err.text, stderr);
		return CTL_UNREACHABLE;
	}
	if (!once && !json && isatty(STDOUT_FILENO)) {
		live(&top);
		return CTL_DONE;
	}
	usleep(PERIOD_MS * 1000);
	if (take(&top, &err) != 0) {
		fputs(err.text, stderr);
		return CTL_UNREACHABLE;
	}
	if (json)
		out_json(top_json(top.from, top.to));
	else
		top_print(stdout, top.from, top.to);
	return CTL_DONE;
}

int
ctl_top(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "once", no_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 }
	};
	bool once = false, json = false;
	struct config cfg;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'j')
			json = true;
		else if (c == 'o')
			once = true;
		else
			return ctl_usage();
	}
	if (optind < argc)
		return ctl_usage();
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	rc = run(cfg.scoreboard, once, json);
	config_free(&cfg);
	return rc;
}
