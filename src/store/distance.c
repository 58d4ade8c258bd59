/* Far is what even the shortest statement of several batches says. */
#include "store/distance.h"

enum {
	FAR_MS = 4,
	FAR_BATCHES = 3		/* one may have met a busy server */
};

void
distance_note(struct distance *d, int64_t ms)
{
	if (!d->any || ms < d->shortest_ms)
		d->shortest_ms = ms;
	d->any = true;
}

void
distance_judge(struct distance *d)
{
	if (!d->any || d->shortest_ms < FAR_MS)
		d->far = 0;
	else if (d->far < FAR_BATCHES)
		d->far++;
	d->any = false;
}

bool
distance_is_far(const struct distance *d)
{
	return d->far == FAR_BATCHES;
}
