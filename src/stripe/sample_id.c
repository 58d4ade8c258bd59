/*
 * Ids and numbers made up from the seed and a name, never from how many were
 * made before: so an id is the same whichever event comes to need it first.
 */
#include <stdlib.h>
#include <string.h>

#include "stripe/sample_int.h"

enum { MARK_AT = 5, MARK_LEN = 10 };	/* an account's mark in its ids */

/* What an id belongs to, and is the same within. */
enum scope { SHOP, PLAN, CUSTOMER, PAYMENT, CHARGE, REFUND, EVENT };

static const char alnum[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Stripe's ids: some have the account's mark inside. */
static const struct id {
	const char *name, *prefix;
	enum scope scope;
	unsigned len;		/* behind the prefix */
	bool marked;
} ids[] = {
	{ "acct", "acct_1", SHOP, 15, true },
	{ "prod", "prod_", PLAN, 14, false },
	{ "price", "price_1", PLAN, 23, true },
	{ "cus", "cus_", CUSTOMER, 14, false },
	{ "pm", "pm_1", CUSTOMER, 23, true },
	{ "sub", "sub_1", CUSTOMER, 23, true },
	{ "si", "si_", CUSTOMER, 14, false },
	{ "seti", "seti_1", CUSTOMER, 23, true },
	{ "setatt", "setatt_1", CUSTOMER, 23, true },
	{ "fingerprint", "", CUSTOMER, 16, false },
	{ "in", "in_1", PAYMENT, 23, true },
	{ "il", "il_1", PAYMENT, 23, true },
	{ "pi", "pi_3", PAYMENT, 23, true },
	{ "inpay", "inpay_1", PAYMENT, 23, true },
	{ "cs_test", "cs_test_a1", PAYMENT, 56, false },
	{ "cs_live", "cs_live_a1", PAYMENT, 56, false },
	{ "secret", "", PAYMENT, 25, false },
	{ "token", "YWNjdF8x", PAYMENT, 80, false },
	{ "ch", "ch_3", CHARGE, 23, true },
	{ "txn", "txn_3", CHARGE, 23, true },
	{ "receipt", "CAcaFwoVYWNjdF8x", CHARGE, 48, false },
	{ "re", "re_3", REFUND, 23, true },
	{ "dp", "du_1", REFUND, 23, true },
	{ "txn_back", "txn_1", REFUND, 23, true },
	{ "req", "req_", EVENT, 14, false },
	{ "evt_1", "evt_1", EVENT, 23, true },
	{ "evt_3", "evt_3", EVENT, 23, true },
};

uint64_t
sample_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t
mix(uint64_t h, uint64_t n)
{
	uint64_t state = h ^ n;

	return sample_random(&state);
}

/* A state to draw from, of this name in this scope as it is now. */
static uint64_t
state_of(const struct sample *s, const char *name, enum scope scope)
{
	uint64_t h = mix(s->opt.seed, s->opt.livemode);

	for (; *name != '\0'; name++)
		h = mix(h, (unsigned char)*name);
	if (scope == PLAN)
		h = mix(h, s->plan);
	if (scope >= CUSTOMER || (scope == PLAN && s->own_catalogue))
		h = mix(h, s->round);
	if (scope == EVENT && s->opt.born != 0)
		h = mix(h, (uint64_t)s->opt.now);
	if (scope == EVENT)
		return mix(h, s->serial);
	if (scope >= PAYMENT)
		h = mix(h, (unsigned char)s->branch[0]);
	if (scope >= CHARGE)
		h = mix(h, (unsigned char)s->branch[1]);
	if (scope >= REFUND)
		h = mix(h, (unsigned char)s->branch[2]);
	return h;
}

uint64_t
sample_number(const struct sample *s, const char *name)
{
	return state_of(s, name, CUSTOMER);
}

uint64_t
sample_event_number(const struct sample *s, const char *name)
{
	return state_of(s, name, EVENT);
}

static void
put_random(char *out, size_t n, uint64_t *state)
{
	while (n-- > 0)
		*out++ = alnum[sample_random(state) % (sizeof(alnum) - 1)];
}

static const struct id *
find_id(const char *name)
{
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (strcmp(ids[i].name, name) == 0)
			return &ids[i];
	return NULL;
}

static void
make_id(const struct sample *s, const struct id *id, char out[SAMPLE_ID_MAX])
{
	uint64_t state = state_of(s, id->name, id->scope), mark;
	size_t len = strlen(id->prefix);
	char *end = out + len;

	memset(out, 0, SAMPLE_ID_MAX);
	memcpy(out, id->prefix, len);
	if (len + id->len >= SAMPLE_ID_MAX)
		abort();
	put_random(end, id->len, &state);
	if (!id->marked)
		return;
	mark = state_of(s, "account", SHOP);
	put_random(end + MARK_AT, MARK_LEN, &mark);
}

void
sample_id(const struct sample *s, const char *name, char id[SAMPLE_ID_MAX])
{
	const struct id *found;

	if (strcmp(name, "cs") == 0)
		name = s->opt.livemode ? "cs_live" : "cs_test";
	if ((found = find_id(name)) == NULL)
		abort();
	make_id(s, found, id);
}
