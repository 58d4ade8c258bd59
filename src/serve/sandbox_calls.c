/*
 * The system calls that workers make: those of the C library, libfcgi,
 * libmariadb and OpenSSL, also where these call them rarely. What is not here
 * kills the worker, so that it is seen; what a library only tries, and does
 * without, is refused. Names that a machine doesn't have are passed over.
 */
#include "serve/sandbox_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define CALL(...) { .name = __VA_ARGS__ }

/*
 * Conditions on argument n. The kernel takes an int's lower half only, so that
 * nothing must hang on the upper one.
 */
#define INT_IS(n, value) \
	.arg = { n, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)(value) }
#define BITS(n, mask, value) .arg = { n, SCMP_CMP_MASKED_EQ, mask, value }
#define BELOW(n, value) .arg = { n, SCMP_CMP_LT, value, 0 }

/* Flags of clone: a thread, and nothing but a thread. */
#define NAMESPACES (CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | \
    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS)

enum {
	SIG_OF_PTHREADS = 32,	/* the first two real-time ones are glibc's */
	/* O_TMPFILE has the bit of O_DIRECTORY, which nobody opens either. */
	NOT_READING = O_ACCMODE | O_CREAT | O_TRUNC | O_TMPFILE
};

const struct sandbox_call sandbox_calls[] = {
	/* Memory, of which nothing can be executed. */
	CALL("brk"),
	CALL("madvise"),
	CALL("mmap", BITS(2, PROT_EXEC, 0)),
	CALL("mprotect", BITS(2, PROT_EXEC, 0)),
	CALL("mremap"),
	CALL("munmap"),

	/* Threads; glibc does with clone what it can't with clone3. */
	CALL("clone", BITS(0, CLONE_THREAD | NAMESPACES, CLONE_THREAD)),
	CALL("clone3", .error = ENOSYS),
	CALL("exit"),
	CALL("futex"),
	CALL("rseq"),
	CALL("sched_getaffinity"),
	CALL("sched_yield"),
	CALL("set_robust_list"),

	/* The process. */
	CALL("exit_group"),
	CALL("getegid"),
	CALL("geteuid"),
	CALL("getgid"),
	CALL("getpid"),
	CALL("getppid"),
	CALL("getrandom"),
	CALL("gettid"),
	CALL("getuid"),
	CALL("prctl", INT_IS(0, PR_SET_NAME)),
	CALL("prlimit64", .arg = { 2, SCMP_CMP_EQ, 0, 0 }),
	CALL("sysinfo"),
	CALL("uname"),

	/* Signals; SIGSYS keeps its handler. */
	CALL("restart_syscall"),
	CALL("rt_sigaction", BELOW(0, SIGSYS)),
	CALL("rt_sigaction", INT_IS(0, SIG_OF_PTHREADS)),
	CALL("rt_sigaction", INT_IS(0, SIG_OF_PTHREADS + 1)),
	CALL("rt_sigprocmask"),
	CALL("rt_sigreturn"),
	CALL("tgkill", .arg = { 0, SCMP_CMP_EQ, SANDBOX_OWN_PID, 0 }),

	/* Time, where the kernel's page for it is missing too. */
	CALL("clock_gettime"),
	CALL("clock_nanosleep"),
	CALL("gettimeofday"),
	CALL("nanosleep"),
	CALL("time"),

	/* Descriptors. */
	CALL("close"),
	CALL("dup3"),
	CALL("fcntl", INT_IS(1, F_DUPFD_CLOEXEC)),
	CALL("fcntl", INT_IS(1, F_GETFD)),
	CALL("fcntl", INT_IS(1, F_GETFL)),
	CALL("fcntl", INT_IS(1, F_SETFD)),
	CALL("fcntl", INT_IS(1, F_SETFL)),
	CALL("fstat"),
	CALL("ioctl", INT_IS(1, FIONREAD)),
	CALL("lseek"),
	CALL("newfstatat", BITS(3, AT_EMPTY_PATH, AT_EMPTY_PATH)),
	CALL("poll"),
	CALL("ppoll"),
	CALL("pselect6"),
	CALL("read"),
	CALL("readv"),
	CALL("select"),
	CALL("write"),
	CALL("writev"),
	CALL("epoll_create1", .pool = POOL_STATUS),
	CALL("epoll_ctl"),
	CALL("epoll_pwait"),
	CALL("epoll_wait"),
	CALL("eventfd2", .pool = POOL_STATUS),

	/* Files: which ones is for Landlock to judge, and none is written. */
	CALL("access", .error = EACCES),
	CALL("faccessat", .error = EACCES),
	CALL("faccessat2", .error = EACCES),
	CALL("newfstatat", BITS(3, AT_EMPTY_PATH, 0), .when = WHEN_FILES),
	CALL("newfstatat", BITS(3, AT_EMPTY_PATH, 0), .when = WHEN_NO_FILES,
	    .error = EACCES),
	CALL("open", .error = EACCES),
	CALL("openat", BITS(2, NOT_READING, O_RDONLY), .when = WHEN_FILES),
	CALL("openat", .when = WHEN_NO_FILES, .error = EACCES),
	CALL("readlink", .error = EACCES),
	CALL("readlinkat", .error = EACCES),

	/* Sockets. */
	CALL("accept"),
	CALL("accept4"),
	CALL("connect"),
	CALL("getpeername"),
	CALL("getsockname"),
	CALL("getsockopt"),
	CALL("recvfrom"),
	CALL("recvmsg"),
	CALL("sendmmsg", .when = WHEN_NAMES),
	CALL("sendmsg"),
	CALL("sendto"),
	CALL("setsockopt"),
	CALL("shutdown"),
	CALL("socket", INT_IS(0, AF_UNIX)),
	CALL("socket", INT_IS(0, AF_INET), .when = WHEN_TCP),
	CALL("socket", INT_IS(0, AF_INET6), .when = WHEN_TCP),
	/* getaddrinfo(3) would ask for this host's own addresses. */
	CALL("socket", INT_IS(0, AF_NETLINK), .when = WHEN_NAMES,
	    .error = EAFNOSUPPORT),
};
const size_t sandbox_ncalls = sizeof(sandbox_calls) / sizeof(sandbox_calls[0]);

bool
sandbox_call_applies(const struct sandbox_call *call, enum pool pool,
    const struct sandbox_needs *needs)
{
	const bool holds[] = {
		[WHEN_ALWAYS] = true,
		[WHEN_TCP] = needs->tcp,
		[WHEN_NAMES] = needs->names,
		[WHEN_FILES] = needs->nfiles > 0,
		[WHEN_NO_FILES] = needs->nfiles == 0,
	};

	return holds[call->when] &&
	    (call->pool == POOL_NONE || call->pool == pool);
}
