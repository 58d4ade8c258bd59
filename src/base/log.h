/*
 * Log lines: LEVEL time module pid thread message, as text or JSON, on
 * standard error and, if set, in a file. Levels are those of syslog(3).
 * Thread-safe; a line is one write(2).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <syslog.h>

struct err;

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/*
 * Sets level (most verbose shown), format and file (NULL or "": standard error
 * alone); may be called again. Returns 0, or -1 with the reason in err, and
 * then goes on as before.
 */
int log_setup(int level, enum log_format format, const char *file,
    struct err *err);

/*
 * Whether a file can be opened, or else made: makes none, as root would in the
 * daemon's place. Returns 0, or -1 with the reason in err.
 */
int log_try(const char *file, struct err *err);

/* Opens the file anew, for rotation. Returns 0 or -1 as log_setup(). */
int log_reopen(struct err *err);

/* The file's descriptor, -1 if there is no file. */
int log_descriptor(void);

/* Goes on in the file that fd is, and takes fd over. */
void log_adopt(int fd);

/* Closes the file; standard error stays. */
void log_close(void);

/* Names the calling process in its lines: "master", "ingest", "status". */
void log_module(const char *module);

/* Whether a line of this level would be shown. */
bool log_shows(int level);

/* Writes one line; control characters in it are shown as '?'. */
void log_line(int level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Logs each line of err at this level. */
void log_err(int level, const struct err *err);

/*
 * Between hold and flush the calling thread's lines gather in memory, to be
 * written together: a batch costs one write(2).
 */
void log_hold(void);
void log_flush(void);

#endif
