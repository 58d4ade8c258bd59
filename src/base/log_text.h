/* The form of a log line. */
#ifndef BASE_LOG_TEXT_H
#define BASE_LOG_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	LOG_TIME_MAX = 64,
	LOG_LINE_MAX = 4096,
	/* All of it may need escaping, and the other fields take some 130. */
	LOG_MESSAGE_MAX = (LOG_LINE_MAX - 256) / 2
};

struct log_author {
	const char *module;
	pid_t pid, tid;
};

/*
 * Writes a whole line with its '\n' and returns its length. Control characters
 * and bytes that aren't UTF-8 are replaced by '?', in message too.
 */
size_t log_text(char line[LOG_LINE_MAX], int format, int level,
    const struct log_author *by, char message[LOG_MESSAGE_MAX]);

/* Microseconds since the epoch as 2026-11-24T15:00:00.123Z. */
void log_text_time(char text[LOG_TIME_MAX], int64_t us);

#endif
