/* The acts of a worker that misbehaves; see http/misbehave.h. */
#include "http/misbehave.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

static int
read_file(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int
write_file(void)
{
	return open("/dev/shm/misbehaved", O_WRONLY | O_CREAT | O_CLOEXEC,
	    0600);
}

static int
run_program(void)
{
	char *const args[] = { (char *)"true", NULL };

	return execv("/bin/true", args);
}

static int
fork_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static int
socket_inet(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
socket_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static int
socket_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
}

/* Nobody listens on it; being told so is as good as a connection. */
static int
connect_elsewhere(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket_inet();

	if (fd < 0)
		return -1;
	return connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0 ||
	    errno == ECONNREFUSED ? 0 : -1;
}

static int
trace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, 0, 0);
}

static int
signal_master(void)
{
	return kill(getppid(), 0);
}

static int
make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static int
show_memory(void)
{
	return prctl(PR_SET_DUMPABLE, 1);
}

static const struct {
	const char *name;
	int (*act)(void);
} acts[] = {
	{ "connect", connect_elsewhere },
	{ "execute", run_program },
	{ "fork", fork_child },
	{ "make-code", make_code },
	{ "read", read_file },
	{ "show-memory", show_memory },
	{ "signal", signal_master },
	{ "socket-inet", socket_inet },
	{ "socket-netlink", socket_netlink },
	{ "socket-packet", socket_packet },
	{ "trace", trace },
	{ "write", write_file },
};

void
misbehave(FCGX_Request *r)
{
	const char *name = FCGX_GetParam("HTTP_X_MISBEHAVE", r->envp);

	for (size_t i = 0; name != NULL &&
	    i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(acts[i].name, name) != 0)
			continue;
		errno = 0;
		log_line(LOG_NOTICE, "misbehaved: %s: %s", name,
		    acts[i].act() >= 0 ? "done" : strerror(errno));
	}
}
