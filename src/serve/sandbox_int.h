/*
 * The parts of the sandbox: what the settings ask for and the files
 * (sandbox_files.c), the list of system calls (sandbox_calls.c), and the way
 * in (sandbox.c).
 */
#ifndef SERVE_SANDBOX_INT_H
#define SERVE_SANDBOX_INT_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/metrics.h"
#include "serve/sandbox.h"

/*
 * Not everywhere: sanitizers make calls of their own, and the arguments of
 * clone and mmap are looked at as these machines pass them.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SANDBOX_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED
#endif
#if defined(SANDBOX_SANITIZED) || \
    !(defined(__x86_64__) || defined(__aarch64__))
enum { SANDBOX_BUILT = false };
#else
enum { SANDBOX_BUILT = true };
#endif

/* What connecting to the database takes, by the settings. */
struct sandbox_needs {
	bool tcp;
	bool names;		/* a host is given by its name */
	long port;
	const char *files[SANDBOX_FILES_MAX];	/* that it reads */
	size_t nfiles;
};

void sandbox_needs(struct sandbox_needs *needs, const struct config *cfg);

/* When a system call is on the list. */
enum sandbox_when {
	WHEN_ALWAYS,
	WHEN_TCP,
	WHEN_NAMES,
	WHEN_FILES,		/* files are read */
	WHEN_NO_FILES
};

/* An argument that must be the calling process's id. */
#define SANDBOX_OWN_PID UINT64_MAX

struct sandbox_call {
	const char *name;
	enum pool pool;		/* the only one that has it; POOL_NONE: both */
	enum sandbox_when when;
	int error;		/* 0: allowed, else refused with it */
	struct scmp_arg_cmp arg;	/* op 0: whatever the arguments */
};

extern const struct sandbox_call sandbox_calls[];
extern const size_t sandbox_ncalls;

/* Whether a row is for a worker of this pool with these needs. */
bool sandbox_call_applies(const struct sandbox_call *call, enum pool pool,
    const struct sandbox_needs *needs);

/*
 * Restricts the process to reading needs->files, and to connecting to needs'
 * ports, as far as the kernel can; *abi is then its version of Landlock, or 0.
 * Returns 0, or -1 with the reason in err.
 */
int sandbox_landlock_enter(const struct sandbox_needs *needs, int *abi,
    struct err *err) __attribute__((warn_unused_result));

#endif
