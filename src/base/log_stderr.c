/* What standard error is decides how to write to it without waiting. */
#include "base/log_stderr.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log_text.h"

enum sink { SINK_FILE, SINK_PIPE, SINK_SOCKET, SINK_JOURNAL, SINK_NONE };

enum { LEVEL_MAX = sizeof("<7>") - 1 };

static atomic_int stderr_fd = STDERR_FILENO;
static atomic_int stderr_sink = SINK_FILE;

/* A pipe takes this much whole or, being full, not at all. */
_Static_assert((int)LOG_LINE_MAX <= (int)PIPE_BUF, "a line fits in a pipe");

/* systemd names the device and inode of the stream that it gave us. */
static bool
is_journal(const struct stat *st)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;

	return stream != NULL && sscanf(stream, "%ju:%ju", &dev, &ino) == 2 &&
	    dev == st->st_dev && ino == st->st_ino;
}

void
log_stderr_look(int file)
{
	struct stat err_st, file_st;
	int sink = SINK_FILE;

	if (fstat(STDERR_FILENO, &err_st) != 0 ||
	    (file >= 0 && fstat(file, &file_st) == 0 &&
	    err_st.st_dev == file_st.st_dev &&
	    err_st.st_ino == file_st.st_ino))
		sink = SINK_NONE;
	else if (S_ISSOCK(err_st.st_mode))
		sink = is_journal(&err_st) ? SINK_JOURNAL : SINK_SOCKET;
	else if (S_ISFIFO(err_st.st_mode))
		sink = SINK_PIPE;
	stderr_sink = sink;
}

/* O_NONBLOCK on the pipe that was inherited would hold for all who share it. */
void
log_stderr_open(void)
{
	int fd;

	if (stderr_sink == SINK_PIPE && stderr_fd == STDERR_FILENO &&
	    (fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY)) >= 0)
		stderr_fd = fd;
}

/* As many whole lines as fit in max bytes. */
static size_t
whole_lines(const char *text, size_t len, size_t max)
{
	const char *end;

	if (len <= max)
		return len;
	end = memrchr(text, '\n', max);
	return end != NULL ? (size_t)(end - text) + 1 : max;
}

static void
send_text(const char *text, size_t len)
{
	(void)!send(stderr_fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
log_stderr_write(const char *text, size_t len)
{
	int sink = stderr_sink;
	struct pollfd p = { .fd = stderr_fd, .events = POLLOUT };
	size_t n;

	if (sink == SINK_NONE || sink == SINK_JOURNAL)
		return;
	for (; len > 0; text += n, len -= n) {
		n = sink == SINK_FILE ? len : whole_lines(text, len, PIPE_BUF);
		if (sink == SINK_SOCKET)
			send_text(text, n);
		/* A pipe that could not be opened anew would block. */
		else if (sink == SINK_FILE || p.fd != STDERR_FILENO ||
		    poll(&p, 1, 0) == 1)
			(void)!write(p.fd, text, n);
	}
}

void
log_stderr_journal(int level, const char *line, size_t len)
{
	char text[LEVEL_MAX + LOG_LINE_MAX];

	if (stderr_sink != SINK_JOURNAL)
		return;
	text[0] = '<';
	text[1] = (char)('0' + LOG_PRI(level));
	text[2] = '>';
	memcpy(text + LEVEL_MAX, line, len);
	send_text(text, LEVEL_MAX + len);
}
