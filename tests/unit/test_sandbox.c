/*
 * The sandbox from inside: a child goes in and tries one thing, which is done,
 * refused, or the end of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "serve/sandbox_int.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

enum {
	DONE = 0,
	KILLED = 1000,		/* by SIGSYS; else the error of a refusal */
	NO_ENTRY = 250,		/* exit status: the sandbox can't be entered */
	PAGE = 4096
};

static char name[] = "db.example", address[] = "127.0.0.1", v6[] = "::1",
    local[] = "localhost", ca[64];
static struct config over_socket = { .sandbox = 1, .db_port = 3306 };
static struct config over_tcp = { .sandbox = 1, .db_port = 3306,
    .db_host = { (char *[]){ address, v6 }, 2 } };
static struct config by_name = { .sandbox = 1, .db_port = 3306,
    .db_host = { (char *[]){ address, name }, 2 }, .db_tls_ca = ca };
static struct config off = { .db_port = 3306 };

static int pid_of_test, pipe_ends[2];

/* The acts: each returns 0 or, with errno set, -1. */

static int
at(const char *path, int flags)
{
	return openat(AT_FDCWD, path, flags, 0600) < 0 ? -1 : 0;
}

static int read_passwd(void) { return at("/etc/passwd", O_RDONLY); }
static int read_hosts(void) { return at("/etc/hosts", O_RDONLY); }
static int read_ca(void) { return at(ca, O_RDONLY); }
static int read_tmp(void) { return at("/tmp", O_RDONLY | O_DIRECTORY); }
static int write_ca(void) { return at(ca, O_WRONLY); }
static int write_new(void) { return at("/tmp/sandbox", O_WRONLY | O_CREAT); }
static int truncate_ca(void) { return at(ca, O_RDONLY | O_TRUNC); }
static int nameless_file(void) { return at("/tmp", O_TMPFILE | O_RDWR); }
static int remove_ca(void) { return unlink(ca); }
static int make_directory(void) { return mkdir("/tmp/sandbox.d", 0700); }
static int change_mode(void) { return chmod(ca, 0777); }

/* Landlock lets it pass, since it is on no file system. */
static int
read_pipe(void)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipe_ends[0]);
	return at(path, O_RDONLY | O_NONBLOCK);
}

static int
stat_open_file(void)
{
	struct stat st;

	return fstat(STDERR_FILENO, &st);
}

static int
stat_ca(void)
{
	struct stat st;

	return stat(ca, &st);
}

static int
run_program(void)
{
	char *const args[] = { (char *)"true", NULL };

	return execv("/bin/true", args);
}

static int
run_descriptor(void)
{
	char *const args[] = { (char *)"true", NULL };

	return fexecve(STDERR_FILENO, args, args + 1);
}

static int
fork_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

static int
raw_clone(void)
{
	return syscall(SYS_clone, CLONE_VM | SIGCHLD, NULL, NULL, NULL, NULL) <
	    0 ? -1 : 0;
}

static void *
idle(void *arg)
{
	return arg;
}

static int
make_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, idle, NULL);
	return errno != 0 || pthread_join(thread, NULL) != 0 ? -1 : 0;
}

static int
open_socket(int family, int type)
{
	return socket(family, type | SOCK_CLOEXEC, 0) < 0 ? -1 : 0;
}

static int socket_unix(void) { return open_socket(AF_UNIX, SOCK_STREAM); }
static int socket_inet(void) { return open_socket(AF_INET, SOCK_STREAM); }
static int socket_inet6(void) { return open_socket(AF_INET6, SOCK_DGRAM); }
static int socket_netlink(void) { return open_socket(AF_NETLINK, SOCK_RAW); }
static int socket_packet(void) { return open_socket(AF_PACKET, SOCK_RAW); }
static int socket_vsock(void) { return open_socket(AF_VSOCK, SOCK_STREAM); }

/* Refused by the sandbox, EACCES; by nobody being there, ECONNREFUSED. */
static int
connect_port(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 &&
	    errno != ECONNREFUSED)
		return -1;
	return 0;
}

static int connect_database(void) { return connect_port(3306); }
static int connect_dns(void) { return connect_port(53); }
static int connect_other(void) { return connect_port(3307); }

static int
listen_port(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return listen(fd, 1);
}

static int
find_name(void)
{
	struct addrinfo *list = NULL;

	if (getaddrinfo("LOCALHOST", "3306", NULL, &list) != 0) {
		errno = ENOENT;
		return -1;
	}
	freeaddrinfo(list);
	return 0;
}

static int trace(void) { return (int)ptrace(PTRACE_ATTACH, getppid(), 0, 0); }
static int kill_master(void) { return kill(getppid(), SIGUSR1); }
static int signal_itself(void) { return raise(SIGCONT); }
static int kill_thread(void) { return tgkill(pid_of_test, pid_of_test, 0); }
static int become_root(void) { return setuid(0); }
static int show_memory(void) { return prctl(PR_SET_DUMPABLE, 1); }
static int new_name(void) { return prctl(PR_SET_NAME, "other"); }
static int new_namespace(void) { return unshare(CLONE_NEWUSER); }
static int
new_ring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}
static int load_bpf(void) { return (int)syscall(SYS_bpf, 0, NULL, 0); }

static int
map(int prot)
{
	return mmap(NULL, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	    MAP_FAILED ? -1 : 0;
}

static int map_code(void) { return map(PROT_READ | PROT_WRITE | PROT_EXEC); }
static int map_data(void) { return map(PROT_READ | PROT_WRITE); }

static int
make_code(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, PAGE, PROT_READ | PROT_EXEC);
}

static int
catch_signal(int sig)
{
	return signal(sig, SIG_IGN) == SIG_ERR ? -1 : 0;
}

static int ignore_refusals(void) { return catch_signal(SIGSYS); }

/* The upper half of the register doesn't count in the kernel either. */
static int
ignore_in_disguise(void)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	return (int)syscall(SYS_rt_sigaction, UINT64_C(1) << 32 | SIGSYS, &sa,
	    NULL, 8);
}

static int
socket_in_disguise(void)
{
	return (int)syscall(SYS_socket, UINT64_C(1) << 32 | AF_UNIX,
	    SOCK_STREAM, 0) < 0 ? -1 : 0;
}

static int ignore_pipe(void) { return catch_signal(SIGPIPE); }

static int
lock_file(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(STDERR_FILENO, F_SETLK, &fl);
}

static int
no_wait(void)
{
	return fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
}

static int signal_owner(void) { return fcntl(0, F_SETOWN, getppid()); }
static int make_epoll(void) { return epoll_create1(0) < 0 ? -1 : 0; }
static int make_eventfd(void) { return eventfd(0, 0) < 0 ? -1 : 0; }

static int
print_and_allocate(void)
{
	char *p = malloc(1 << 22);

	if (p == NULL || snprintf(p, 64, "%f", 0.1) <= 0)
		return -1;
	p = realloc(p, 1 << 24);
	free(p);
	return 0;
}

#define ACT(act) act, #act

static const struct {
	int (*act)(void);
	const char *name;
	/* INGEST and a unix socket, STATUS and TCP, INGEST and a name. */
	int over_socket, over_tcp, by_name;
} cases[] = {
	{ ACT(read_passwd), EACCES, EACCES, EACCES },
	{ ACT(read_hosts), EACCES, EACCES, DONE },
	{ ACT(read_ca), EACCES, EACCES, DONE },
	{ ACT(read_pipe), EACCES, EACCES, DONE },
	{ ACT(read_tmp), EACCES, EACCES, KILLED },
	{ ACT(write_ca), EACCES, EACCES, KILLED },
	{ ACT(write_new), EACCES, EACCES, KILLED },
	{ ACT(truncate_ca), EACCES, EACCES, KILLED },
	{ ACT(nameless_file), EACCES, EACCES, KILLED },
	{ ACT(remove_ca), KILLED, KILLED, KILLED },
	{ ACT(make_directory), KILLED, KILLED, KILLED },
	{ ACT(change_mode), KILLED, KILLED, KILLED },
	{ ACT(stat_open_file), DONE, DONE, DONE },
	{ ACT(stat_ca), EACCES, EACCES, DONE },
	{ ACT(run_program), KILLED, KILLED, KILLED },
	{ ACT(run_descriptor), KILLED, KILLED, KILLED },
	{ ACT(fork_child), KILLED, KILLED, KILLED },
	{ ACT(raw_clone), KILLED, KILLED, KILLED },
	{ ACT(make_thread), DONE, DONE, DONE },
	{ ACT(socket_unix), DONE, DONE, DONE },
	{ ACT(socket_in_disguise), DONE, DONE, DONE },
	{ ACT(socket_inet), KILLED, DONE, DONE },
	{ ACT(socket_inet6), KILLED, DONE, DONE },
	{ ACT(socket_netlink), KILLED, KILLED, EAFNOSUPPORT },
	{ ACT(socket_packet), KILLED, KILLED, KILLED },
	{ ACT(socket_vsock), KILLED, KILLED, KILLED },
	{ ACT(connect_database), KILLED, DONE, DONE },
	{ ACT(listen_port), KILLED, KILLED, KILLED },
	{ ACT(find_name), KILLED, KILLED, DONE },
	{ ACT(trace), KILLED, KILLED, KILLED },
	{ ACT(kill_master), KILLED, KILLED, KILLED },
	{ ACT(signal_itself), DONE, DONE, DONE },
	{ ACT(kill_thread), KILLED, KILLED, KILLED },
	{ ACT(become_root), KILLED, KILLED, KILLED },
	{ ACT(show_memory), KILLED, KILLED, KILLED },
	{ ACT(new_name), DONE, DONE, DONE },
	{ ACT(new_namespace), KILLED, KILLED, KILLED },
	{ ACT(new_ring), KILLED, KILLED, KILLED },
	{ ACT(load_bpf), KILLED, KILLED, KILLED },
	{ ACT(map_code), KILLED, KILLED, KILLED },
	{ ACT(map_data), DONE, DONE, DONE },
	{ ACT(make_code), KILLED, KILLED, KILLED },
	{ ACT(ignore_refusals), KILLED, KILLED, KILLED },
	{ ACT(ignore_in_disguise), KILLED, KILLED, KILLED },
	{ ACT(ignore_pipe), DONE, DONE, DONE },
	{ ACT(lock_file), KILLED, KILLED, KILLED },
	{ ACT(no_wait), DONE, DONE, DONE },
	{ ACT(signal_owner), KILLED, KILLED, KILLED },
	{ ACT(make_epoll), KILLED, DONE, KILLED },
	{ ACT(make_eventfd), KILLED, DONE, KILLED },
	{ ACT(print_and_allocate), DONE, DONE, DONE },
};

/* What becomes of a child that goes in and acts: DONE, KILLED or an error. */
static int
fate(const struct config *cfg, enum pool pool, int (*act)(void))
{
	struct err err = ERR_INIT;
	pid_t pid;
	int status;

	pid_of_test = getpid();
	if ((pid = fork()) == 0) {
		sandbox_hide_memory();
		if (sandbox_enter(cfg, pool, &err) != 0) {
			fputs(err.text, stderr);
			_exit(NO_ENTRY);
		}
		_exit(act() == 0 ? 0 : errno);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		ck_assert_int_eq(WTERMSIG(status), SIGSYS);
		ck_assert(!WCOREDUMP(status));
		return KILLED;
	}
	return WEXITSTATUS(status);
}

static void
setup(void)
{
	int fd;

	snprintf(ca, sizeof(ca), "/tmp/test_sandbox.XXXXXX");
	fd = mkstemp(ca);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
}

static void
teardown(void)
{
	unlink(ca);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static void
ck_fate(int found, int expected, const char *act)
{
	ck_assert_msg(found == expected, "%s: %d instead of %d", act, found,
	    expected);
}

START_TEST(unix_socket)
{
	ck_fate(fate(&over_socket, POOL_INGEST, cases[_i].act),
	    cases[_i].over_socket, cases[_i].name);
}
END_TEST

START_TEST(tcp)
{
	ck_fate(fate(&over_tcp, POOL_STATUS, cases[_i].act),
	    cases[_i].over_tcp, cases[_i].name);
}
END_TEST

START_TEST(host_name)
{
	int expected = cases[_i].by_name;

	/* Nothing else can tell one file from another. */
	if (sandbox_landlock() == 0 && expected == EACCES)
		expected = DONE;
	ck_fate(fate(&by_name, POOL_INGEST, cases[_i].act), expected,
	    cases[_i].name);
}
END_TEST

START_TEST(ports)
{
	int refusal = sandbox_landlock() >= 4 ? EACCES : DONE;

	ck_assert_int_eq(fate(&over_tcp, POOL_STATUS, connect_other), refusal);
	ck_assert_int_eq(fate(&over_tcp, POOL_STATUS, connect_dns), refusal);
	ck_assert_int_eq(fate(&by_name, POOL_STATUS, connect_dns), DONE);
	ck_assert_int_eq(fate(&by_name, POOL_STATUS, connect_other), refusal);
}
END_TEST

START_TEST(switched_off)
{
	ck_assert_int_eq(fate(&off, POOL_INGEST, read_passwd), DONE);
	ck_assert_int_eq(fate(&off, POOL_INGEST, fork_child), DONE);
}
END_TEST

/* A call by a misspelt name would kill for want of the right one. */
START_TEST(names_of_calls)
{
	const char *call = sandbox_calls[_i].name;

	ck_assert_msg(seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64,
	    call) >= 0, "%s", call);
	/* That machine lacks some, but their names are known. */
	ck_assert_msg(seccomp_syscall_resolve_name_arch(SCMP_ARCH_AARCH64,
	    call) != __NR_SCMP_ERROR, "%s", call);
}
END_TEST

START_TEST(needs)
{
	struct config same = { .db_port = 3306,
	    .db_host = { (char *[]){ local }, 1 } };
	struct sandbox_needs n;

	sandbox_needs(&n, &over_socket);
	ck_assert(!n.tcp && !n.names && n.nfiles == 0);
	sandbox_needs(&n, &same);
	ck_assert(!n.tcp && !n.names && n.nfiles == 0);
	sandbox_needs(&n, &over_tcp);
	ck_assert(n.tcp && !n.names && n.nfiles == 0);
	sandbox_needs(&n, &by_name);
	ck_assert(n.tcp && n.names);
	ck_assert_uint_ge(n.nfiles, 2);
	ck_assert_uint_le(n.nfiles, SANDBOX_FILES_MAX);
	ck_assert_str_eq(n.files[n.nfiles - 1], ca);
}
END_TEST

START_TEST(replaced_file)
{
	struct sandbox_stamp stamp;
	char other[80];
	int fd;

	snprintf(other, sizeof(other), "%s.new", ca);
	sandbox_stamp(&stamp, &by_name);
	ck_assert_ptr_null(sandbox_replaced(&stamp, &by_name));
	fd = open(ca, O_WRONLY | O_APPEND);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	ck_assert_ptr_null(sandbox_replaced(&stamp, &by_name));
	close(open(other, O_WRONLY | O_CREAT, 0600));
	ck_assert_int_eq(rename(other, ca), 0);
	ck_assert_str_eq(sandbox_replaced(&stamp, &by_name), ca);
	sandbox_stamp(&stamp, &by_name);
	ck_assert_ptr_null(sandbox_replaced(&stamp, &by_name));
	ck_assert_int_eq(unlink(ca), 0);
	ck_assert_str_eq(sandbox_replaced(&stamp, &by_name), ca);
	by_name.sandbox = 0;
	ck_assert_ptr_null(sandbox_replaced(&stamp, &by_name));
}
END_TEST

START_TEST(words)
{
	char text[SANDBOX_TEXT_MAX], call[32];

	ck_assert_int_eq(sandbox_describe(&over_socket, text), SANDBOX_BUILT);
	ck_assert_msg(strstr(text, SANDBOX_BUILT ? "seccomp, " :
	    "off (not in this build)") == text, "%s", text);
	ck_assert(!sandbox_describe(&off, text));
	sandbox_call_name(SYS_execve, call, sizeof(call));
	ck_assert_str_eq(call, "execve");
	sandbox_call_name(99999, call, sizeof(call));
	ck_assert_str_eq(call, "unknown");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");

	tcase_add_checked_fixture(tc, setup, teardown);
	/* Sanitizers can't live in it. */
	if (SANDBOX_BUILT) {
		tcase_add_loop_test(tc, unix_socket, 0, COUNT(cases));
		tcase_add_loop_test(tc, tcp, 0, COUNT(cases));
		tcase_add_loop_test(tc, host_name, 0, COUNT(cases));
		tcase_add_test(tc, ports);
		tcase_add_test(tc, replaced_file);
	}
	tcase_add_test(tc, switched_off);
	tcase_add_loop_test(tc, names_of_calls, 0, (int)sandbox_ncalls);
	tcase_add_test(tc, needs);
	tcase_add_test(tc, words);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
