/*
 * The log. Every descriptor is written without waiting: a full disk or a
 * reader that stands still costs lines, never the program's time. What changes
 * while threads write is atomic, and the file keeps its descriptor's number.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log_stderr.h"
#include "base/log_text.h"

enum {
	HOLD_MAX = 32768,
	MODULE_MAX = 16,
	FILE_MODE = 0640,
	DIR_MODE = 0750
};

static atomic_int log_level = LOG_INFO;
static atomic_int log_format = LOG_FORMAT_TEXT;
static atomic_int file_fd = -1;
static char file_path[PATH_MAX];
static char module_name[MODULE_MAX] = "main";

/* What a line says of its thread: asking is a system call each. */
static _Thread_local struct log_author author = { .module = module_name };

static _Thread_local struct {
	bool on;
	size_t len;
	char text[HOLD_MAX];
} held;

static void
write_all(const char *text, size_t len)
{
	int fd = file_fd;

	log_stderr_write(text, len);
	if (fd >= 0)
		(void)!write(fd, text, len);
}

/* Writes what the thread holds back; it goes on holding. */
static void
spill(void)
{
	if (held.len > 0)
		write_all(held.text, held.len);
	held.len = 0;
}

static int
open_append(const char *path, int flags)
{
	/* O_NONBLOCK: a path may be a pipe. */
	return open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK |
	    O_NOCTTY | flags, FILE_MODE);
}

/* The directory of path is made if it is missing, one level only. */
static void
make_parent(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	(void)mkdir(dir, DIR_MODE);
}

/* Threads may be writing: the number stays, what it is changes. */
static int
use(int fd)
{
	int rc;

	if (file_fd < 0) {
		file_fd = fd;
		return 0;
	}
	rc = dup3(fd, file_fd, O_CLOEXEC) < 0 ? errno : 0;
	close(fd);
	errno = rc;
	return rc == 0 ? 0 : -1;
}

static int
cannot_open(const char *path, struct err *err)
{
	err_add(err, "STRIPEHOOK_LOG_FILE: cannot open '%s': %s", path,
	    strerror(errno));
	return -1;
}

static int
open_file(const char *path, struct err *err)
{
	int fd = open_append(path, O_CREAT);

	if (fd < 0 && errno == ENOENT) {
		make_parent(path);
		fd = open_append(path, O_CREAT);
	}
	if (fd < 0)
		return cannot_open(path, err);
	if (use(fd) != 0) {
		err_add(err, "%s: dup3: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}

int
log_setup(int level, enum log_format format, const char *file, struct err *err)
{
	bool wanted = file != NULL && *file != '\0';

	if (wanted && strlen(file) >= sizeof(file_path)) {
		err_add(err, "STRIPEHOOK_LOG_FILE: the path is too long");
		return -1;
	}
	if (wanted && open_file(file, err) != 0)
		return -1;
	if (!wanted)
		log_close();
	else if (file != file_path)
		memcpy(file_path, file, strlen(file) + 1);
	log_level = level;
	log_format = (int)format;
	log_stderr_look(file_fd);
	log_stderr_open();
	return 0;
}

/* Whether the file could be made, with its directory. */
static bool
can_make(const char *path)
{
	char dir[PATH_MAX];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	for (int levels = 0; levels < 2; levels++) {
		if ((slash = strrchr(dir, '/')) == NULL)
			return access(".", W_OK) == 0;
		slash[slash == dir] = '\0';
		if (access(dir, W_OK) == 0)
			return true;
		if (errno != ENOENT)
			return false;
	}
	return false;
}

int
log_try(const char *file, struct err *err)
{
	int fd = open_append(file, 0);

	if (fd >= 0)
		close(fd);
	else if (errno != ENOENT || !can_make(file))
		return cannot_open(file, err);
	return 0;
}

int
log_reopen(struct err *err)
{
	if (file_fd < 0)
		return 0;
	if (open_file(file_path, err) != 0)
		return -1;
	log_stderr_look(file_fd);
	return 0;
}

int
log_descriptor(void)
{
	return file_fd;
}

void
log_adopt(int fd)
{
	(void)use(fd);
	log_stderr_look(file_fd);
}

void
log_close(void)
{
	int fd = atomic_exchange(&file_fd, -1);

	if (fd >= 0)
		close(fd);
	log_stderr_look(file_fd);
}

void
log_module(const char *module)
{
	snprintf(module_name, sizeof(module_name), "%s", module);
}

bool
log_shows(int level)
{
	return level <= log_level;
}

/* In a child: what the parent holds is the parent's to write. */
static void
begin_anew(void)
{
	author.pid = 0;
	held.on = false;
	held.len = 0;
}

static void
set_fork_handler(void)
{
	(void)pthread_atfork(NULL, NULL, begin_anew);
}

static void
watch_forks(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, set_fork_handler);
}

static const struct log_author *
who(void)
{
	if (author.pid == 0) {
		watch_forks();
		author.pid = getpid();
		author.tid = gettid();
	}
	return &author;
}

/*
 * With a line of each delivery it would pass its limit (10,000 lines in half a
 * minute), and then lose the errors: these lines are in the file.
 */
static void
tell_journal(int level, const char *line, size_t len)
{
	if (level <= LOG_NOTICE || file_fd < 0)
		log_stderr_journal(level, line, len);
}

void
log_line(int level, const char *fmt, ...)
{
	char message[LOG_MESSAGE_MAX], line[LOG_LINE_MAX];
	int saved = errno, n;
	va_list ap;
	size_t len;

	if (!log_shows(level))
		return;
	va_start(ap, fmt);
	n = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (n < 0)
		message[0] = '\0';
	else if ((size_t)n >= sizeof(message))
		memcpy(message + sizeof(message) - 4, "...", 4);
	len = log_text(line, log_format, level, who(), message);
	tell_journal(level, line, len);
	if (!held.on) {
		write_all(line, len);
		goto out;
	}
	if (held.len + len > sizeof(held.text))
		spill();
	memcpy(held.text + held.len, line, len);
	held.len += len;
	/* An error may be the last thing that a process says. */
	if (level <= LOG_ERR)
		spill();
out:
	errno = saved;
}

void
log_err(int level, const struct err *err)
{
	const char *line = err->text;

	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		log_line(level, "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

void
log_hold(void)
{
	watch_forks();
	held.on = true;
}

void
log_flush(void)
{
	spill();
	held.on = false;
}
