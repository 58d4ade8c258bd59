/* The log: form of its lines, the file, holding back, never waiting. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/err.h"
#include "base/fdpass.h"
#include "base/log.h"
#include "base/log_text.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

enum { TEXT_MAX = 1 << 20 };

static char dir[64];
static char text[TEXT_MAX];
static struct err err;

static char *
content(const char *name)
{
	int fd = open(name, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	while ((n = read(fd, text + len, TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	return text;
}

static void
stderr_to(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);

	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
}

static void
ck_matches(const char *s, const char *pattern)
{
	regex_t re;

	ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&re, s, 0, NULL, 0) == 0, "%s !~ %s", s,
	    pattern);
	regfree(&re);
}

static int
count(const char *s, const char *part)
{
	int n = 0;

	for (; (s = strstr(s, part)) != NULL; s++)
		n++;
	return n;
}

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_log.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	err_reset(&err);
	ck_assert_int_eq(chdir(dir), 0);
	stderr_to("stderr");
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, NULL, &err), 0);
	log_module("ingest");
}

static void
teardown(void)
{
	static const char *const names[] = { "stderr", "log", "old",
	    "logs/log", "logs", "pipe" };

	log_close();
	for (int i = 0; i < COUNT(names); i++)
		remove(names[i]);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static const struct {
	int level;
	const char *name;
} levels[] = {
	{ LOG_CRIT, "ERROR" }, { LOG_ERR, "ERROR" },
	{ LOG_WARNING, "WARNING" }, { LOG_NOTICE, "NOTICE" },
	{ LOG_INFO, "INFO" }, { LOG_DEBUG, NULL },
};

START_TEST(text_lines)
{
	char pattern[256];

	errno = ENOENT;
	log_line(levels[_i].level, "hello %d %m", 5);
	ck_assert_int_eq(errno, ENOENT);
	if (levels[_i].name == NULL) {
		ck_assert_str_eq(content("stderr"), "");
		return;
	}
	snprintf(pattern, sizeof(pattern), "^%s [0-9]{4}-[01][0-9]-[0-3][0-9]"
	    "T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z ingest %d %d "
	    "hello 5 No such file or directory\n$", levels[_i].name, getpid(),
	    gettid());
	ck_matches(content("stderr"), pattern);
}
END_TEST

/* Every day of the next century and more, with strftime(3) as the judge. */
START_TEST(times)
{
	char expected[64], found[LOG_TIME_MAX];
	struct tm tm;

	for (time_t t = 0; t < 86400LL * 365 * 200; t += 86399) {
		gmtime_r(&t, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.042Z",
		    &tm);
		log_text_time(found, (int64_t)t * 1000000 + 42999);
		ck_assert_str_eq(found, expected);
	}
}
END_TEST

static const struct {
	const char *raw, *shown;
} messages[] = {
	{ "plain", "plain" },
	{ "a\"b\\c", "a\"b\\c" },
	{ "a\nb\tc\r\033[31m\177", "a?b?c??[31m?" },
	{ "caf\303\251 \342\202\254 \360\237\230\200",
	    "caf\303\251 \342\202\254 \360\237\230\200" },
	{ "\377\300\257", "???" },		/* no UTF-8, overlong */
	{ "\355\240\200", "???" },		/* a surrogate */
	{ "\364\220\200\200", "????" },		/* past U+10FFFF */
	{ "\302\233x", "??x" },			/* a control character */
	{ "cut \342\202", "cut ??" },
	{ "", "" },
};

START_TEST(any_bytes)
{
	struct json_object *line, *field;
	char *end;

	log_line(LOG_INFO, "%s", messages[_i].raw);
	end = strrchr(content("stderr"), '\n');
	*end = '\0';
	ck_assert_str_eq(end - strlen(messages[_i].shown), messages[_i].shown);
	ck_assert_int_eq(truncate("stderr", 0), 0);
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_JSON, NULL, &err), 0);
	log_line(LOG_INFO, "%s", messages[_i].raw);
	line = json_tokener_parse(content("stderr"));
	ck_assert_ptr_nonnull(line);
	ck_assert(json_object_object_get_ex(line, "message", &field));
	ck_assert_str_eq(json_object_get_string(field), messages[_i].shown);
	json_object_put(line);
}
END_TEST

START_TEST(json_fields)
{
	char pattern[256];

	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_JSON, NULL, &err), 0);
	log_line(LOG_WARNING, "x");
	snprintf(pattern, sizeof(pattern), "^\\{\"level\":\"WARNING\","
	    "\"time\":\"[^\"]{23}Z\",\"module\":\"ingest\",\"pid\":%d,"
	    "\"thread\":%d,\"message\":\"x\"\\}\n$", getpid(), gettid());
	ck_matches(content("stderr"), pattern);
}
END_TEST

/* However long and however much escaped, a line is whole and valid. */
START_TEST(long_lines)
{
	char *quotes = malloc(5001);
	struct json_object *line;

	memset(quotes, '"', 5000);
	quotes[5000] = '\0';
	log_line(LOG_INFO, "%s", quotes);
	ck_matches(content("stderr"), "\"\\.\\.\\.\n$");
	ck_assert_int_eq(truncate("stderr", 0), 0);
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_JSON, NULL, &err), 0);
	log_line(LOG_INFO, "%s", quotes);
	line = json_tokener_parse(content("stderr"));
	ck_assert_ptr_nonnull(line);
	ck_assert_uint_le(strlen(text), PIPE_BUF);
	json_object_put(line);
	free(quotes);
}
END_TEST

START_TEST(file_and_directory)
{
	struct stat st;

	umask(0);
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, "logs/log",
	    &err), 0);
	log_line(LOG_INFO, "one");
	ck_assert_int_eq(count(content("logs/log"), "one\n"), 1);
	ck_assert_int_eq(count(content("stderr"), "one\n"), 1);
	ck_assert_int_eq(stat("logs/log", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(stat("logs", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0750);
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, "", &err), 0);
	log_line(LOG_INFO, "two");
	ck_assert_int_eq(count(content("logs/log"), "two\n"), 0);
}
END_TEST

START_TEST(bad_file_changes_nothing)
{
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, "log", &err), 0);
	ck_assert_int_eq(log_setup(LOG_ERR, LOG_FORMAT_JSON, "a/b/c", &err),
	    -1);
	ck_assert_ptr_nonnull(strstr(err.text,
	    "STRIPEHOOK_LOG_FILE: cannot open 'a/b/c': No such file"));
	ck_assert_int_eq(log_setup(LOG_ERR, LOG_FORMAT_JSON, ".", &err), -1);
	log_line(LOG_INFO, "still");
	ck_matches(content("log"), "^INFO .* still\n$");
	/* A pipe that nobody reads is an error, not a wait. */
	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, "pipe", &err),
	    -1);
}
END_TEST

START_TEST(rotation)
{
	ck_assert_int_eq(log_reopen(&err), 0);
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, "log", &err), 0);
	log_line(LOG_INFO, "one");
	ck_assert_int_eq(rename("log", "old"), 0);
	log_line(LOG_INFO, "two");
	ck_assert_int_eq(log_reopen(&err), 0);
	log_line(LOG_INFO, "three");
	ck_assert_int_eq(count(content("old"), "\n"), 2);
	ck_matches(content("log"), "^[^\n]*three\n$");
	ck_assert_int_eq(access("/proc/self/fd/5", F_OK), -1);
}
END_TEST

/* As from the master to a worker, whose file keeps its number. */
START_TEST(handed_over)
{
	int ends[2], fd;

	ck_assert_int_eq(log_descriptor(), -1);
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, "old", &err), 0);
	ck_assert_int_eq(fdpass_open(ends), 0);
	ck_assert_int_eq(fdpass_receive(ends[1]), -1);
	fd = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	ck_assert_int_eq(fdpass_send(ends[0], fd), 0);
	close(fd);
	fd = fdpass_receive(ends[1]);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fdpass_receive(ends[1]), -1);
	log_line(LOG_INFO, "one");
	log_adopt(fd);
	log_line(LOG_INFO, "two");
	ck_matches(content("old"), "^[^\n]*one\n$");
	ck_matches(content("log"), "^[^\n]*two\n$");
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	/* A message without a file is none. */
	ck_assert_int_eq(send(ends[0], "x", 1, 0), 1);
	ck_assert_int_eq(fdpass_receive(ends[1]), -1);
	close(ends[1]);
	ck_assert_int_eq(fdpass_send(ends[0], log_descriptor()), -1);
	close(ends[0]);
}
END_TEST

START_TEST(same_file_once)
{
	stderr_to("log");
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, "log", &err), 0);
	log_line(LOG_INFO, "one");
	ck_assert_int_eq(rename("log", "old"), 0);
	ck_assert_int_eq(log_reopen(&err), 0);
	log_line(LOG_INFO, "two");
	ck_assert_int_eq(count(content("log"), "two\n"), 1);
	ck_assert_int_eq(count(content("old"), "one\n"), 1);
	ck_assert_int_eq(count(content("old"), "two\n"), 1);
}
END_TEST

START_TEST(hold)
{
	log_hold();
	log_line(LOG_INFO, "one");
	log_hold();
	log_line(LOG_INFO, "two");
	ck_assert_str_eq(content("stderr"), "");
	log_line(LOG_ERR, "three");
	ck_assert_int_eq(count(content("stderr"), "\n"), 3);
	log_line(LOG_INFO, "four");
	ck_assert_int_eq(count(content("stderr"), "\n"), 3);
	log_flush();
	ck_assert_int_eq(count(content("stderr"), "\n"), 4);
	log_flush();
	log_line(LOG_INFO, "five");
	ck_assert_int_eq(count(content("stderr"), "\n"), 5);
}
END_TEST

START_TEST(hold_is_bounded)
{
	log_hold();
	for (int i = 0; i < 1000; i++)
		log_line(LOG_INFO, "%0100d", i);
	ck_assert_int_gt(count(content("stderr"), "\n"), 600);
	ck_assert_int_lt(count(text, "\n"), 1000);
	log_flush();
	ck_assert_int_eq(count(content("stderr"), "\n"), 1000);
}
END_TEST

/* What the parent holds is the parent's to write. */
START_TEST(hold_over_fork)
{
	char line[64];
	int status;
	pid_t pid;

	log_hold();
	log_line(LOG_INFO, "parent");
	pid = fork();
	if (pid == 0) {
		log_line(LOG_INFO, "child");
		log_flush();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(count(content("stderr"), "\n"), 1);
	snprintf(line, sizeof(line), " %d %d child\n", pid, pid);
	ck_assert_int_eq(count(text, line), 1);
	log_flush();
	ck_assert_int_eq(count(content("stderr"), "parent\n"), 1);
}
END_TEST

static void *
other_thread(void *arg)
{
	(void)arg;
	log_line(LOG_INFO, "other");
	return NULL;
}

START_TEST(hold_is_of_one_thread)
{
	pthread_t thread;

	log_hold();
	log_line(LOG_INFO, "mine");
	ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, NULL), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(count(content("stderr"), "\n"), 1);
	ck_assert_int_eq(count(text, "other\n"), 1);
	log_flush();
}
END_TEST

static const char *
received(int fd)
{
	ssize_t n = read(fd, text, TEXT_MAX - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* A reader that stands still costs lines; each that arrives is whole. */
static void
stand_still(int fd[2])
{
	ssize_t n;

	ck_assert_int_eq(dup2(fd[1], STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, "log", &err), 0);
	log_hold();
	for (int i = 0; i < 20000; i++)
		log_line(LOG_INFO, "%0100d", i);
	log_flush();
	ck_assert_int_eq(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	while ((n = read(fd[0], text, TEXT_MAX - 1)) > 0)
		ck_assert_int_eq(text[n - 1], '\n');
	log_line(LOG_INFO, "again");
	ck_matches(received(fd[0]), "^INFO .* again\n$");
}

START_TEST(full_pipe)
{
	int fd[2];

	ck_assert_int_eq(pipe(fd), 0);
	stand_still(fd);
	/* What others share stays as it was. */
	ck_assert_int_eq(fcntl(fd[1], F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(full_socket)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	stand_still(fd);
}
END_TEST

/*
 * Standard error as systemd gives it to a service, which it names by its inode;
 * another one's with an offset.
 */
static int
log_to_journal(int offset, const char *file)
{
	int fd[2];
	char name[64];
	struct stat st;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	ck_assert_int_eq(dup2(fd[1], STDERR_FILENO), STDERR_FILENO);
	close(fd[1]);
	ck_assert_int_eq(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino + (uintmax_t)offset);
	ck_assert_int_eq(setenv("JOURNAL_STREAM", name, 1), 0);
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, file, &err), 0);
	return fd[0];
}

START_TEST(journal_knows_levels)
{
	int fd = log_to_journal(0, NULL);

	log_line(LOG_ERR, "broken");
	log_line(LOG_INFO, "delivered");
	ck_matches(received(fd),
	    "^<3>ERROR [^\n]* broken\n<6>INFO [^\n]* delivered\n$");
	log_hold();
	log_line(LOG_WARNING, "held");
	log_flush();
	ck_matches(received(fd), "^<4>WARNING [^\n]* held\n$");
	close(fd);
}
END_TEST

/* What would pass the journal's limit is in the file, with all else. */
START_TEST(journal_beside_a_file)
{
	int fd = log_to_journal(0, "log");

	log_line(LOG_INFO, "delivered");
	log_line(LOG_NOTICE, "serving");
	ck_matches(received(fd), "^<5>NOTICE [^\n]* serving\n$");
	ck_matches(content("log"),
	    "^INFO [^\n]* delivered\nNOTICE [^\n]* serving\n$");
	close(fd);
}
END_TEST

/* A shell's child inherits the name, but may have other output. */
START_TEST(journal_of_another)
{
	int fd = log_to_journal(1, "log");

	log_line(LOG_INFO, "delivered");
	ck_matches(received(fd), "^INFO [^\n]* delivered\n$");
	close(fd);
}
END_TEST

START_TEST(full_disk)
{
	struct rlimit limit = { 0, 0 };

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(log_setup(LOG_INFO, LOG_FORMAT_TEXT, "log", &err), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	errno = 0;
	log_line(LOG_ERR, "lost");
	ck_assert_int_eq(errno, 0);
	close(STDERR_FILENO);
	log_line(LOG_ERR, "lost");
	ck_assert_str_eq(content("log"), "");
}
END_TEST

START_TEST(err_lines)
{
	err_add(&err, "first");
	err_add(&err, "second 100%%");
	log_err(LOG_WARNING, &err);
	ck_matches(content("stderr"),
	    "^WARNING [^\n]* first\nWARNING [^\n]* second 100%\n$");
	ck_assert(log_shows(LOG_INFO));
	ck_assert(!log_shows(LOG_DEBUG));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, text_lines, 0, COUNT(levels));
	tcase_add_test(tc, times);
	tcase_add_loop_test(tc, any_bytes, 0, COUNT(messages));
	tcase_add_test(tc, json_fields);
	tcase_add_test(tc, long_lines);
	tcase_add_test(tc, file_and_directory);
	tcase_add_test(tc, bad_file_changes_nothing);
	tcase_add_test(tc, rotation);
	tcase_add_test(tc, handed_over);
	tcase_add_test(tc, same_file_once);
	tcase_add_test(tc, hold);
	tcase_add_test(tc, hold_is_bounded);
	tcase_add_test(tc, hold_over_fork);
	tcase_add_test(tc, hold_is_of_one_thread);
	tcase_add_test(tc, full_pipe);
	tcase_add_test(tc, full_socket);
	tcase_add_test(tc, journal_knows_levels);
	tcase_add_test(tc, journal_beside_a_file);
	tcase_add_test(tc, journal_of_another);
	tcase_add_test(tc, full_disk);
	tcase_add_test(tc, err_lines);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
