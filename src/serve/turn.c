/* A robust mutex in shared memory, and patience. */
#include "serve/turn.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/err.h"

enum { PATIENCE_NS = 3000000 };

static pthread_mutex_t *turn;

int
turn_create(struct err *err)
{
	pthread_mutexattr_t attr;
	void *p = mmap(NULL, sizeof(pthread_mutex_t), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		err_add(err, "shared memory: mmap: %s", strerror(errno));
		return -1;
	}
	turn = p;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(turn, &attr);
	pthread_mutexattr_destroy(&attr);
	return 0;
}

bool
turn_begin(void)
{
	struct timespec until;
	int rc;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PATIENCE_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	rc = pthread_mutex_clocklock(turn, CLOCK_MONOTONIC, &until);
	if (rc == EOWNERDEAD)
		pthread_mutex_consistent(turn);
	return rc == 0 || rc == EOWNERDEAD;
}

void
turn_end(bool ours)
{
	if (ours)
		pthread_mutex_unlock(turn);
}
