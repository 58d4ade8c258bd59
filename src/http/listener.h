/*
 * The unix sockets on which nginx reaches us. Made here and not by libfcgi,
 * which would take a running instance's socket away and leave the rights to
 * the umask.
 */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include <stdbool.h>

struct err;

struct listener {
	char *path;		/* own copy: settings are reloaded */
	int fd;			/* non-blocking, listening */
	int lock;		/* holds the lock file; -1 when inherited */
};

/*
 * Binds path: mode 0660 and the group, if given. A lock file beside it
 * keeps a second instance from taking it over; a socket that a dead one left
 * is replaced. Returns 0, or -1 with the reason in err.
 */
int listener_open(struct listener *l, const char *path, const char *group,
    struct err *err) __attribute__((warn_unused_result));

/* Takes over a socket that the service manager made. */
int listener_inherit(struct listener *l, const char *path, int fd,
    struct err *err) __attribute__((warn_unused_result));

/*
 * Takes the path away, so that nobody can connect any more; who did is still
 * in the queue. Not for inherited sockets, which the service manager keeps.
 */
void listener_unlink(struct listener *l);

void listener_close(struct listener *l);

/* Closes the lock file alone; for a worker, whose lock it isn't. */
void listener_unlock(struct listener *l);

#endif
