/*
 * Where events are delivered to: this machine, or, only if it is meant,
 * another. Sample events in a real shop's books would be a disaster.
 */
#ifndef CTL_TRIGGER_TARGET_H
#define CTL_TRIGGER_TARGET_H

#include <stdbool.h>

struct sockaddr;

struct target {
	char *url;		/* malloc(3)ed */
	bool loopback;		/* all of the host's addresses are */
};

/*
 * Fills *target from a URL, or from NULL: the development server on that port.
 * Returns CTL_DONE, or with the fault printed CTL_USAGE (no URL; another
 * machine, and anywhere isn't set) or CTL_UNREACHABLE (no such host).
 */
int target_find(struct target *target, const char *url, long port,
    bool anywhere) __attribute__((warn_unused_result));

void target_free(struct target *target);

bool target_is_loopback(const struct sockaddr *address);

#endif
