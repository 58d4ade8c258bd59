/* Binds, locks and hands over the FastCGI sockets. */
#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

enum { BACKLOG = 4096 };	/* the kernel cuts it to net.core.somaxconn */

/*
 * A classic record lock: it belongs to the process, so a child doesn't
 * inherit it, and it ends with the process however that dies.
 */
static int
lock(const char *path, struct err *err)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 8];
	int fd;

	snprintf(name, sizeof(name), "%s.lock", path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_add(err, "%s: %s", name, strerror(errno));
		return -1;
	}
	if (fcntl(fd, F_SETLK, &fl) == 0)
		return fd;
	if (errno == EACCES || errno == EAGAIN)
		err_add(err, "%s: another stripehookd is running on it; stop "
		    "that one, or set another socket path", path);
	else
		err_add(err, "%s: %s", name, strerror(errno));
	close(fd);
	return -1;
}

static int
give_to_group(const char *path, const char *group, struct err *err)
{
	struct group *gr;

	if (group == NULL)
		return 0;
	if ((gr = getgrnam(group)) == NULL) {
		err_add(err, "STRIPEHOOK_SOCKET_GROUP: there is no group %s",
		    group);
		return -1;
	}
	if (chown(path, (uid_t)-1, gr->gr_gid) != 0) {
		err_add(err, "%s: chgrp %s: %s (the user must be a member of "
		    "the group)", path, group, strerror(errno));
		return -1;
	}
	return 0;
}

/*
 * Binds under another name first: the socket appears under its own with its
 * rights already set.
 */
static int
bind_at(int fd, const char *path, const char *group, struct err *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s.new", path);

	if (n < 0 || (size_t)n >= sizeof(sun.sun_path)) {
		err_add(err, "%s: the path is too long for a socket (at most "
		    "%zu bytes)", path, sizeof(sun.sun_path) - 5);
		return -1;
	}
	unlink(sun.sun_path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 ||
	    chmod(sun.sun_path, 0660) != 0) {
		err_add(err, "%s: %s", sun.sun_path, strerror(errno));
		return -1;
	}
	if (give_to_group(sun.sun_path, group, err) != 0 ||
	    listen(fd, BACKLOG) != 0 || rename(sun.sun_path, path) != 0) {
		if (err->count == 0)
			err_add(err, "%s: %s", path, strerror(errno));
		unlink(sun.sun_path);
		return -1;
	}
	return 0;
}

int
listener_open(struct listener *l, const char *path, const char *group,
    struct err *err)
{
	unsigned before = err->count;

	*l = (struct listener){ .path = mem_strdup(path), .fd = -1,
	    .lock = -1 };
	if ((l->lock = lock(path, err)) < 0) {
		listener_close(l);
		return -1;
	}
	/* Workers share it and may lose the race for a connection. */
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd >= 0 && bind_at(l->fd, path, group, err) == 0)
		return 0;
	if (err->count == before)
		err_add(err, "%s: socket: %s", path, strerror(errno));
	listener_close(l);
	return -1;
}

int
listener_inherit(struct listener *l, const char *path, int fd,
    struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	*l = (struct listener){ .path = mem_strdup(path), .fd = fd,
	    .lock = -1 };
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		err_add(err, "%s: inherited descriptor %d: %s", path, fd,
		    strerror(errno));
		return -1;
	}
	return 0;
}

void
listener_unlink(struct listener *l)
{
	if (l->lock >= 0)
		unlink(l->path);
}

void
listener_unlock(struct listener *l)
{
	if (l->lock >= 0)
		close(l->lock);
	l->lock = -1;
}

void
listener_close(struct listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	listener_unlock(l);
	free(l->path);
	*l = (struct listener){ .path = NULL, .fd = -1, .lock = -1 };
}
