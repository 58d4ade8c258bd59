/* Reads in the scoreboard how the other ingest workers are. */
#include "serve/turn.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "serve/worker.h"

enum {
	OVERLAP_MS = 20,	/* so that the next one is awake */
	LOOK_MS = 5,		/* between looks at the scoreboard */
	ACCEPTOR_MS = 200,	/* its longest silence: it wakes every 50 */
	COMMITTER_MS = 1500,	/* every 1,000, when it has nothing to do */
	ROOM = 128		/* deliveries in flight, before others help */
};

static bool
serves(const struct metrics_slot *slot)
{
	return slot->ready_ms != 0 && slot->pid != 0 &&
	    slot->pool == POOL_INGEST;
}

/* It is alive, and has a database that answers. */
static bool
is_well(const struct metrics_slot *slot, int64_t now_ms)
{
	return slot->metric[METRIC_DB_UP] != 0 &&
	    now_ms - slot->beat_ms[ACCEPTOR] <= ACCEPTOR_MS &&
	    now_ms - slot->beat_ms[COMMITTER] <= COMMITTER_MS;
}

/* Where commits take long enough for helpers, all are to help. */
static bool
has_room(const struct metrics_slot *slot)
{
	return !slot->pressed && slot->metric[METRIC_IN_FLIGHT] < ROOM &&
	    slot->metric[METRIC_HELPERS] == 0;
}

/* The serving workers in the order of their numbers; returns how many. */
static unsigned
list_workers(unsigned list[METRICS_SLOTS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < METRICS_SLOTS; i++)
		if (serves(metrics_slot(i)))
			list[n++] = i;
	return n;
}

bool
turn_takes(unsigned number, int64_t at_ms, int64_t now_ms)
{
	bool well = is_well(metrics_slot(number), now_ms);
	unsigned list[METRICS_SLOTS], n = list_workers(list);
	unsigned first = n > 0 ? (unsigned)(at_ms / TURN_MS % n) : 0;

	for (unsigned k = 0; k < n; k++) {
		unsigned i = list[(first + k) % n];

		if (i == number) {
			if (well)
				return true;
		} else if (is_well(metrics_slot(i), now_ms) &&
		    has_room(metrics_slot(i))) {
			return false;
		}
	}
	return true;
}

bool
turn_is_ours(unsigned number)
{
	static int64_t looked_ms;
	static bool ours = true;
	int64_t now_ms = clock_ms();

	if (now_ms - looked_ms < LOOK_MS)
		return ours;
	looked_ms = now_ms;
	ours = turn_takes(number, now_ms, now_ms) ||
	    turn_takes(number, now_ms - OVERLAP_MS, now_ms);
	return ours;
}

int
turn_left_ms(void)
{
	return (int)(TURN_MS - clock_ms() % TURN_MS);
}

void
turn_show(bool pressed)
{
	if (metrics_own->pressed != pressed)
		metrics_own->pressed = pressed;
}
