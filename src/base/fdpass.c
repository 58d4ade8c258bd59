/* Open files as messages on a unix socket: see SCM_RIGHTS in unix(7). */
#include "base/fdpass.h"

#include <string.h>
#include <sys/socket.h>

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int
fdpass_open(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, ends);
}

static struct msghdr
message(struct iovec *byte, union control *control)
{
	return (struct msghdr){
		.msg_iov = byte,
		.msg_iovlen = 1,
		.msg_control = control->bytes,
		.msg_controllen = sizeof(control->bytes),
	};
}

int
fdpass_send(int end, int fd)
{
	char nothing = 0;
	struct iovec byte = { &nothing, 1 };
	union control control = { .bytes = { 0 } };
	struct msghdr msg = message(&byte, &control);

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
	return sendmsg(end, &msg, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int
fdpass_receive(int end)
{
	char nothing;
	struct iovec byte = { &nothing, 1 };
	union control control;
	struct msghdr msg = message(&byte, &control);
	struct cmsghdr *head;
	int fd;

	if (recvmsg(end, &msg, MSG_CMSG_CLOEXEC) != 1 ||
	    (head = CMSG_FIRSTHDR(&msg)) == NULL ||
	    head->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(head), sizeof(int));
	return fd;
}
