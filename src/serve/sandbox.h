/*
 * The sandbox of a worker. Once it is in, it can make only the system calls
 * that its pool needs (seccomp); any other one kills it. It can open no file
 * but those that a new connection to the database asks for (Landlock), none
 * at all where that is a unix socket.
 */
#ifndef SERVE_SANDBOX_H
#define SERVE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/config.h"
#include "base/metrics.h"

struct err;

enum {
	SANDBOX_TEXT_MAX = 160,
	SANDBOX_FILES_MAX = 8
};

/* Which files stood at the places that workers read. */
struct sandbox_stamp {
	struct {
		dev_t dev;
		ino_t ino;
	} file[SANDBOX_FILES_MAX];
};

/* No core dump of this process and no debugger in it: it holds secrets. */
void sandbox_hide_memory(void);

/*
 * Puts the calling process in, for good, unless STRIPEHOOK_SANDBOX is off; it
 * must have one thread only and all the privileges dropped. What is in force
 * is noted in its slot of the scoreboard. Returns 0, or -1 with the reason in
 * err: then it must not serve.
 */
int sandbox_enter(const struct config *cfg, enum pool pool, struct err *err)
    __attribute__((warn_unused_result));

/*
 * In words, what a worker with these settings gets on this host. Returns
 * whether it is a sandbox.
 */
bool sandbox_describe(const struct config *cfg, char text[SANDBOX_TEXT_MAX]);

/* The version of Landlock that the kernel has; 0 for none, errno says why. */
int sandbox_landlock(void);

/* The name of a system call, as far as it is known. */
void sandbox_call_name(int number, char *name, size_t size);

/*
 * A worker is let at files, not at their names. If another file was put in the
 * place of one, it takes new workers to read it: sandbox_replaced() returns
 * the path of the first such file, NULL if there is none.
 */
void sandbox_stamp(struct sandbox_stamp *stamp, const struct config *cfg);
const char *sandbox_replaced(const struct sandbox_stamp *stamp,
    const struct config *cfg);

#endif
