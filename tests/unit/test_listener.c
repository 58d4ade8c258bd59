/* Sockets for nginx: their rights, their lock, what is left and taken over. */
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "http/listener.h"
#include "suite.h"

static char dir[64], path[sizeof(dir) + 16];
static struct listener l;
static struct err err;

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_listener.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/ingest.sock", dir);
	err_reset(&err);
	l = (struct listener){ .fd = -1, .lock = -1 };
}

static void
teardown(void)
{
	static const char *const names[] = { "ingest.sock",
	    "ingest.sock.lock", "ingest.sock.new" };
	char name[160];

	listener_close(&l);
	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s/%s", dir, names[i]);
		remove(name);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
ck_says(const char *part)
{
	ck_assert_msg(strstr(err.text, part) != NULL, "no '%s' in: %s", part,
	    err.text);
}

static bool
can_connect(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool yes;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	yes = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0;
	close(fd);
	return yes;
}

START_TEST(serves)
{
	struct group *gr = getgrgid(getegid());
	struct stat st;

	umask(0077);
	ck_assert_ptr_nonnull(gr);
	ck_assert_int_eq(listener_open(&l, path, gr->gr_name, &err), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_int_eq(st.st_mode & 07777, 0660);
	ck_assert_uint_eq(st.st_gid, getegid());
	ck_assert_int_ne(fcntl(l.fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(l.fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert(can_connect());
	/* Who is in the queue stays, nobody comes any more. */
	listener_unlink(&l);
	ck_assert(!can_connect());
	ck_assert_int_ge(accept(l.fd, NULL, NULL), 0);
}
END_TEST

/* What a dead one left is replaced. */
START_TEST(after_a_crash)
{
	ck_assert_int_eq(listener_open(&l, path, NULL, &err), 0);
	listener_close(&l);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert(!can_connect());
	ck_assert_int_eq(listener_open(&l, path, NULL, &err), 0);
	ck_assert(can_connect());
}
END_TEST

/* A second instance, which is another process, leaves it alone. */
START_TEST(taken)
{
	int status;
	pid_t pid;

	ck_assert_int_eq(listener_open(&l, path, NULL, &err), 0);
	if ((pid = fork()) == 0) {
		struct listener other;

		if (listener_open(&other, path, NULL, &err) == -1 &&
		    other.fd == -1 && other.lock == -1 && other.path == NULL &&
		    strstr(err.text, "another stripehookd is running"))
			_exit(42);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 42);
	ck_assert(can_connect());
}
END_TEST

START_TEST(bad_paths)
{
	char longest[200];

	ck_assert_int_eq(listener_open(&l, "/nowhere/at/all", NULL, &err),
	    -1);
	ck_says("/nowhere/at/all.lock: No such file");
	err_reset(&err);
	snprintf(longest, sizeof(longest), "%s/%0*d", dir,
	    (int)(sizeof(((struct sockaddr_un *)NULL)->sun_path) -
	    strlen(dir) - 4), 0);
	ck_assert_int_eq(listener_open(&l, longest, NULL, &err), -1);
	ck_says("too long for a socket (at most 103 bytes)");
	ck_assert_int_eq(l.fd, -1);
	snprintf(longest + strlen(longest), 6, ".lock");
	remove(longest);
}
END_TEST

/* A directory can't be replaced, and what was made on the way goes. */
START_TEST(directory_there)
{
	char name[160];

	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(listener_open(&l, path, NULL, &err), -1);
	ck_says("ingest.sock: Is a directory");
	snprintf(name, sizeof(name), "%s.new", path);
	ck_assert_int_ne(access(name, F_OK), 0);
}
END_TEST

START_TEST(no_such_group)
{
	ck_assert_int_eq(listener_open(&l, path, "no-group-of-this-name",
	    &err), -1);
	ck_says("STRIPEHOOK_SOCKET_GROUP: there is no group no-group");
	ck_assert_uint_eq(err.count, 1);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* A group that an ordinary user isn't in. */
START_TEST(foreign_group)
{
	int status;
	pid_t pid;

	if (geteuid() != 0 || getgrnam("daemon") == NULL)
		return;
	ck_assert_int_eq(chmod(dir, 0777), 0);
	if ((pid = fork()) == 0) {
		if (setgid(65534) == 0 && setuid(65534) == 0 &&
		    listener_open(&l, path, "daemon", &err) == -1 &&
		    strstr(err.text, "must be a member of the group"))
			_exit(42);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 42);
}
END_TEST

/* What the service manager made stays there, and is made fit for workers. */
START_TEST(inherited)
{
	struct listener made;
	int fd;

	ck_assert_int_eq(listener_open(&made, path, NULL, &err), 0);
	fd = dup(made.fd);
	fcntl(fd, F_SETFL, 0);
	ck_assert_int_eq(listener_inherit(&l, path, fd, &err), 0);
	ck_assert_int_eq(l.fd, fd);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	listener_unlink(&l);
	ck_assert(can_connect());
	listener_close(&made);
}
END_TEST

START_TEST(inherited_nothing)
{
	ck_assert_int_eq(listener_inherit(&l, path, 4000, &err), -1);
	ck_says("inherited descriptor 4000: Bad file descriptor");
	l.fd = -1;
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("listener");
	TCase *tc = tcase_create("listener");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, serves);
	tcase_add_test(tc, after_a_crash);
	tcase_add_test(tc, taken);
	tcase_add_test(tc, bad_paths);
	tcase_add_test(tc, directory_there);
	tcase_add_test(tc, no_such_group);
	tcase_add_test(tc, foreign_group);
	tcase_add_test(tc, inherited);
	tcase_add_test(tc, inherited_nothing);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
