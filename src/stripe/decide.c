/* Settles ties by what events say of their past. */
#include "stripe/decide.h"

#include <json-c/json.h>
#include <stdint.h>
#include <string.h>

#include "stripe/mapping.h"

static bool
matches(struct json_object *was, struct json_object *is)
{
	if (was == NULL || is == NULL)
		return was == is;
	if (!json_object_is_type(was, json_type_object) ||
	    !json_object_is_type(is, json_type_object))
		return json_object_equal(was, is) != 0;
	/* Of a hash only the changed keys are named. */
	json_object_object_foreach(was, key, value) {
		struct json_object *now = NULL;

		json_object_object_get_ex(is, key, &now);
		if (!matches(value, now))
			return false;
	}
	return true;
}

bool
decide_follows(struct json_object *previous, struct json_object *object)
{
	return json_object_is_type(previous, json_type_object) &&
	    json_object_object_length(previous) > 0 &&
	    matches(previous, object);
}

/*
 * after[i] has bit j set if event j comes after event i, directly or through
 * others (Warshall's closure).
 */
static void
close_over(uint64_t after[TIED_MAX], const struct tied *tied, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		after[i] = 0;
		for (size_t j = 0; j < n; j++)
			if (i != j && decide_follows(tied[j].previous,
			    tied[i].object))
				after[i] |= UINT64_C(1) << j;
	}
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < n; i++)
			if ((after[i] >> k & 1) != 0)
				after[i] |= after[k];
}

/* Whether nothing comes after event i that i doesn't come after as well. */
static bool
may_be_last(const uint64_t after[TIED_MAX], size_t i, size_t n)
{
	for (size_t j = 0; j < n; j++)
		if ((after[i] >> j & 1) != 0 && (after[j] >> i & 1) == 0)
			return false;
	return true;
}

static bool
same_value(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_NULL:
		return true;
	case VALUE_INT:
	case VALUE_TIME:
		return a->i == b->i;
	case VALUE_BYTES:
		return a->len == b->len &&
		    (a->len == 0 || memcmp(a->s, b->s, a->len) == 0);
	}
	return false;
}

static bool
same_row(const struct row *a, const struct row *b)
{
	for (size_t i = 0; i < a->table->ncols; i++)
		if (!same_value(&a->values[i], &b->values[i]))
			return false;
	return true;
}

struct decision
decide(const struct tied *tied, size_t n)
{
	struct decision d = { .winner = n, .certain = true };
	uint64_t after[TIED_MAX];

	if (n <= TIED_MAX)
		close_over(after, tied, n);
	for (size_t i = 0; i < n; i++) {
		if (n <= TIED_MAX && !may_be_last(after, i, n))
			continue;
		if (d.winner == n) {
			d.winner = i;
			continue;
		}
		if (!same_row(tied[d.winner].row, tied[i].row))
			d.certain = false;
		if (strcmp(tied[i].event_id, tied[d.winner].event_id) > 0)
			d.winner = i;
	}
	return d;
}
