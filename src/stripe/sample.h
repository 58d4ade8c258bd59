/*
 * Sample events: what Stripe would send for a made-up customer, byte for byte
 * in its style, made from a seed. The same options give the same events,
 * except that without a base the times count back from now. Pure: no I/O.
 */
#ifndef STRIPE_SAMPLE_H
#define STRIPE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct sample;

/* The two generations of payloads that differ in what we read. */
enum sample_shape {
	SAMPLE_ACACIA,		/* up to 2025-02-24.acacia */
	SAMPLE_BASIL		/* 2025-03-31.basil and later */
};

enum { SAMPLE_ID_MAX = 96 };	/* bytes of an id, NUL included */

struct sample_options {
	uint64_t seed;
	enum sample_shape shape;
	bool livemode;
	bool same_second;	/* all events of a lifecycle in one second */
	const char *user;	/* of every customer; NULL: one each */
	const char *user_key;	/* metadata key that holds it */
	int64_t now;		/* no event is later; 0: times are made from
				   the seed */
	int64_t born;		/* single events follow those of an earlier
				   run with this seed, whose objects were made
				   then; 0: they don't */
};

struct sample_event {
	char id[SAMPLE_ID_MAX];
	const char *type;	/* static */
	int64_t created;
	char *body;		/* malloc(3)ed, NUL-terminated */
	size_t len;
};

/* All zero is empty. The caller owns it: sample_events_free(). */
struct sample_events {
	struct sample_event *list;
	size_t n, room;
};

/* The strings in opt must live as long as what is returned. Never NULL. */
struct sample *sample_new(const struct sample_options *opt)
    __attribute__((warn_unused_result));
void sample_free(struct sample *s);

/* The event types there are, in the order in which one may follow another. */
size_t sample_ntypes(void);
const char *sample_type(size_t i);

/*
 * Appends one event of each of n types (positions, ascending), all of one new
 * customer.
 */
void sample_add_types(struct sample *s, const size_t *types, size_t n,
    struct sample_events *out);

/* The lifecycles there are. */
size_t sample_nlifecycles(void);
const char *sample_lifecycle(size_t i);

/*
 * Appends the events of the life of a new customer, in the order in which they
 * are made; before them, of the product and price if they are new. The mix
 * draws one of all lifecycles, paid ones most.
 */
enum { SAMPLE_MIX = -1 };
void sample_add_lifecycle(struct sample *s, int which,
    struct sample_events *out);

void sample_events_free(struct sample_events *events);

/*
 * JSON in Stripe's style: two spaces, id and object first and then by the
 * alphabet, "{" and "}" of empty ones on lines of their own, no newline at
 * the end. Before basil an empty list has a blank line in it. Returns
 * malloc(3)ed text and its length.
 */
char *sample_print(struct json_object *json, enum sample_shape shape,
    size_t *len) __attribute__((warn_unused_result));

/* A well-mixed number from the state, which moves on (splitmix64). */
uint64_t sample_random(uint64_t *state);

#endif
