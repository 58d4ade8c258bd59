/*
 * Ties: the event that wins must be the same in whichever order the tied ones
 * are given, and one that nothing follows.
 *
 * Input: lines, each an event: previous_attributes, a tab, members of its
 * subscription; both without their braces.
 */
#include "fuzz.h"

#include <json-c/json.h>
#include <obstack.h>

#include "base/config.h"
#include "base/mem.h"
#include "stripe/decide.h"
#include "stripe/event.h"
#include "stripe/mapping.h"

enum { EVENTS = TIED_MAX + 6, ID_LEN = 16 };

struct set {
	struct obstack mem;
	struct event events[EVENTS];
	struct rows rows[EVENTS];
	struct tied tied[EVENTS];
	size_t n;
};

/* Adds the event unless it isn't one. */
static void
add(struct set *set, struct fuzz_input line)
{
	static const struct strings keys = { NULL, 0 };
	struct event *ev = &set->events[set->n];
	struct fuzz_input previous = fuzz_until(&line, '\t');
	const char *why;
	char *text;
	int len;

	len = asprintf(&text, "{\"id\":\"evt_0\",\"object\":\"event\","
	    "\"type\":\"customer.subscription.updated\",\"created\":10,"
	    "\"livemode\":false,\"data\":{\"object\":{\"id\":\"sub_1\","
	    "\"object\":\"subscription\",\"created\":5%s%.*s},"
	    "\"previous_attributes\":{%.*s}}}", line.len > 0 ? "," : "",
	    (int)line.len, line.p, (int)previous.len, previous.p);
	MUST(len > 0);
	if (event_parse(ev, &set->mem, text, (size_t)len, &why) == OUT_OK) {
		if (mapping_apply(&set->rows[set->n], &set->mem, ev,
		    &keys) == OUT_OK)
			set->n++;
		else
			event_drop_json(ev);
	}
	free(text);
}

static void
check_certain(const struct tied *tied, size_t n, struct decision d)
{
	bool follows, followed;

	MUST(d.winner < n);
	if (n > TIED_MAX)
		return;
	/* What comes after the winner must in some way come before it too. */
	for (size_t i = 0; i < n; i++) {
		if (i == d.winner)
			continue;
		follows = decide_follows(tied[i].previous,
		    tied[d.winner].object);
		followed = false;
		for (size_t k = 0; k < n; k++)
			followed |= k != i && decide_follows(tied[k].previous,
			    tied[i].object);
		MUST(!follows || followed);
	}
}

/* Rotated and turned around, it is the same one that wins. */
static void
check_orders(const struct set *set, struct decision d)
{
	struct tied other[EVENTS];
	struct decision again;
	const char *id = set->tied[d.winner].event_id;

	for (size_t turn = 1; turn <= 3; turn++) {
		for (size_t i = 0; i < set->n; i++) {
			size_t at = (i + turn * turn) % set->n;

			other[i] = set->tied[turn == 3 ? set->n - 1 - i : at];
		}
		again = decide(other, set->n);
		MUST(again.certain == d.certain);
		MUST(strcmp(other[again.winner].event_id, id) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char ids[EVENTS][ID_LEN];
	struct fuzz_input in = fuzz_input(data, size);
	struct set set = { .n = 0 };
	struct decision d;

	obstack_init(&set.mem);
	while (in.len > 0 && set.n < EVENTS)
		add(&set, fuzz_until(&in, '\n'));
	for (size_t i = 0; i < set.n; i++) {
		/* Ids that don't rise with time. */
		snprintf(ids[i], ID_LEN, "evt_%02zu", i * 37 % 97);
		set.tied[i] = (struct tied){ ids[i], set.events[i].object,
		    set.events[i].previous, &set.rows[i].row[0] };
	}
	if (set.n > 0) {
		d = decide(set.tied, set.n);
		check_certain(set.tied, set.n, d);
		check_orders(&set, d);
	}
	for (size_t i = 0; i < set.n; i++)
		event_drop_json(&set.events[i]);
	obstack_free(&set.mem, NULL);
	return 0;
}
