/*
 * Keeps listening sockets over restarts of who serves them, as a socket unit
 * of systemd does: binds the unix sockets that come before "--" to descriptors
 * 3 and up, and becomes the command that comes after it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	int wanted = 3, i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++, wanted++) {
		struct sockaddr_un sun = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", argv[i]);
		unlink(argv[i]);
		if (fd != wanted ||
		    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 ||
		    chmod(argv[i], 0660) != 0 || listen(fd, 4096) != 0) {
			perror(argv[i]);
			return 1;
		}
	}
	if (i + 1 >= argc) {
		fputs("usage: hold SOCKET... -- COMMAND...\n", stderr);
		return 2;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 1;
}
