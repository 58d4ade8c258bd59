/*
 * Standard error, as the log writes to it: without waiting. A file takes all,
 * a pipe or socket whose reader stands still loses whole lines. Thread-safe.
 */
#ifndef BASE_LOG_STDERR_H
#define BASE_LOG_STDERR_H

#include <stddef.h>

/*
 * Looks what standard error is. file: the descriptor of the log's file, -1 if
 * there is none; lines go to it alone if both are the same.
 */
void log_stderr_look(int file);

/*
 * Makes a pipe writable without waiting, after log_stderr_look() and while the
 * process may open files. What others share of it stays as it was.
 */
void log_stderr_open(void);

/* Writes whole lines, but not to systemd's journal. */
void log_stderr_write(const char *text, size_t len);

/*
 * Sends one line, with its level as sd-daemon(3) has it, if standard error is
 * systemd's journal (systemd.exec(5), $JOURNAL_STREAM).
 */
void log_stderr_journal(int level, const char *line, size_t len);

#endif
