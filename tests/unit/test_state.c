/* What front ends are told: kinds of objects by their ids, and their states. */
#include <stdio.h>
#include <string.h>

#include "stripe/state.h"
#include "suite.h"

#define N(array) (int)(sizeof(array) / sizeof((array)[0]))

enum { ID_MAX = 255 };

static const struct id {
	const char *id;
	int kind;		/* -1: none */
} ids[] = {
	{ "pi_3NDC70B7WZ01zgkWiisqGCB9", KIND_PAYMENT_INTENT },
	{ "seti_1NDC70B7WZ01zgkWiisqGCB9", KIND_SETUP_INTENT },
	{ "sub_1NDC70B7WZ01zgkWiisqGCB9", KIND_SUBSCRIPTION },
	{ "in_1NDC70B7WZ01zgkWiisqGCB9", KIND_INVOICE },
	{ "cs_test_a1NDC70B7WZ01zgkW", KIND_CHECKOUT_SESSION },
	{ "cs_live_a1NDC70B7WZ01zgkW", KIND_CHECKOUT_SESSION },
	{ "pi_1", KIND_PAYMENT_INTENT },
	{ "in__", KIND_INVOICE },
	/* A prefix and nothing. */
	{ "pi_", -1 }, { "pi", -1 }, { "", -1 }, { "_", -1 },
	/* Others', or none. */
	{ "ch_1NDC70B7", -1 }, { "cus_1NDC70B7", -1 }, { "evt_1NDC70B7", -1 },
	{ "inpay_1NDC70B7", -1 }, { "PI_1NDC70B7", -1 }, { "xpi_1", -1 },
	{ "subsched_1", -1 }, { "set_1", -1 },
	/* Nothing that SQL, a log line or a path could mind. */
	{ "pi_1'", -1 }, { "pi_1\"", -1 }, { "pi_1/..", -1 }, { "pi_1%20", -1 },
	{ "pi_ 1", -1 }, { "pi_1\n", -1 }, { "pi_1-2", -1 }, { "pi_1.", -1 },
	{ "pi_1\xc3\xa9", -1 }, { "pi_1\x7f", -1 },
};

START_TEST(kind_of_id)
{
	const struct id *c = &ids[_i];
	enum object_kind kind = KIND__MAX;
	bool known = state_kind(c->id, strlen(c->id), &kind);

	ck_assert_msg(known == (c->kind >= 0), "%s", c->id);
	if (known)
		ck_assert_msg((int)kind == c->kind, "%s: kind %d", c->id,
		    (int)kind);
	else
		ck_assert_msg(kind == KIND__MAX, "%s: kind is set", c->id);
}
END_TEST

/* Ids come with a length: neither a NUL inside nor what is behind counts. */
START_TEST(length_of_id)
{
	char id[ID_MAX + 2];
	enum object_kind kind;

	memset(id, 'a', sizeof(id));
	memcpy(id, "pi_", 3);
	ck_assert(state_kind(id, ID_MAX, &kind));
	ck_assert(!state_kind(id, ID_MAX + 1, &kind));
	ck_assert(!state_kind("pi_1", 3, &kind));
	ck_assert(state_kind("pi_1'; DROP", 4, &kind));
	ck_assert(!state_kind("pi_1\0x", 6, &kind));
	ck_assert(!state_kind("pi_1", 0, &kind));
}
END_TEST

START_TEST(table_of_kinds)
{
	for (int k = 0; k < KIND__MAX; k++) {
		const struct kind_info *info = &state_kinds[k];
		char id[64];
		enum object_kind kind;

		ck_assert_ptr_nonnull(info->object);
		snprintf(id, sizeof(id), "%s1", info->prefix);
		ck_assert(state_kind(id, strlen(id), &kind));
		ck_assert_int_eq((int)kind, k);
	}
	ck_assert(state_kinds[KIND_PAYMENT_INTENT].has_secret);
	ck_assert(state_kinds[KIND_SETUP_INTENT].has_secret);
	ck_assert(state_kinds[KIND_CHECKOUT_SESSION].has_secret);
	ck_assert(!state_kinds[KIND_INVOICE].has_secret);
	ck_assert(!state_kinds[KIND_SUBSCRIPTION].has_secret);
}
END_TEST

/* Every status that Stripe's own types have, and some that they don't. */
static const struct status {
	enum object_kind kind;
	const char *status;
	bool failed;
	const char *state;
	bool final;
} statuses[] = {
	{ KIND_PAYMENT_INTENT, NULL, false, "pending", false },
	{ KIND_PAYMENT_INTENT, NULL, true, "pending", false },
	{ KIND_PAYMENT_INTENT, "requires_payment_method", false, "pending",
	    false },
	{ KIND_PAYMENT_INTENT, "requires_payment_method", true, "failed",
	    false },
	{ KIND_PAYMENT_INTENT, "requires_confirmation", false, "pending",
	    false },
	{ KIND_PAYMENT_INTENT, "requires_confirmation", true, "pending",
	    false },
	{ KIND_PAYMENT_INTENT, "requires_action", false, "requires_action",
	    false },
	{ KIND_PAYMENT_INTENT, "processing", false, "processing", false },
	{ KIND_PAYMENT_INTENT, "processing", true, "processing", false },
	{ KIND_PAYMENT_INTENT, "requires_capture", false, "authorized",
	    false },
	{ KIND_PAYMENT_INTENT, "succeeded", false, "succeeded", true },
	{ KIND_PAYMENT_INTENT, "succeeded", true, "succeeded", true },
	{ KIND_PAYMENT_INTENT, "canceled", false, "canceled", true },
	{ KIND_PAYMENT_INTENT, "canceled", true, "canceled", true },
	{ KIND_PAYMENT_INTENT, "of_the_future", false, "of_the_future",
	    false },
	{ KIND_PAYMENT_INTENT, "paid", false, "paid", false },
	{ KIND_SETUP_INTENT, NULL, false, "pending", false },
	{ KIND_SETUP_INTENT, "requires_payment_method", false, "pending",
	    false },
	{ KIND_SETUP_INTENT, "requires_payment_method", true, "failed",
	    false },
	{ KIND_SETUP_INTENT, "requires_confirmation", false, "pending",
	    false },
	{ KIND_SETUP_INTENT, "requires_action", false, "requires_action",
	    false },
	{ KIND_SETUP_INTENT, "processing", false, "processing", false },
	{ KIND_SETUP_INTENT, "succeeded", false, "succeeded", true },
	{ KIND_SETUP_INTENT, "canceled", false, "canceled", true },
	{ KIND_SUBSCRIPTION, NULL, false, "pending", false },
	{ KIND_SUBSCRIPTION, "incomplete", false, "incomplete", false },
	{ KIND_SUBSCRIPTION, "incomplete_expired", false,
	    "incomplete_expired", true },
	{ KIND_SUBSCRIPTION, "trialing", false, "trialing", false },
	{ KIND_SUBSCRIPTION, "active", false, "active", false },
	{ KIND_SUBSCRIPTION, "past_due", false, "past_due", false },
	{ KIND_SUBSCRIPTION, "unpaid", false, "unpaid", false },
	{ KIND_SUBSCRIPTION, "paused", false, "paused", false },
	{ KIND_SUBSCRIPTION, "canceled", false, "canceled", true },
	/* A payment's words aren't everybody's. */
	{ KIND_SUBSCRIPTION, "requires_payment_method", true,
	    "requires_payment_method", false },
	{ KIND_SUBSCRIPTION, "succeeded", false, "succeeded", false },
	{ KIND_INVOICE, "draft", false, "draft", false },
	{ KIND_INVOICE, "open", false, "open", false },
	{ KIND_INVOICE, "paid", false, "paid", true },
	{ KIND_INVOICE, "uncollectible", false, "uncollectible", false },
	{ KIND_INVOICE, "void", false, "void", true },
	{ KIND_INVOICE, "canceled", false, "canceled", false },
	{ KIND_CHECKOUT_SESSION, NULL, false, "pending", false },
	{ KIND_CHECKOUT_SESSION, "open", false, "open", false },
	{ KIND_CHECKOUT_SESSION, "complete", false, "complete", false },
	{ KIND_CHECKOUT_SESSION, "expired", false, "expired", true },
};

START_TEST(state_of_status)
{
	const struct status *c = &statuses[_i];
	struct state s = state_of(c->kind, c->status, c->failed);

	ck_assert_msg(strcmp(s.state, c->state) == 0 && s.final == c->final,
	    "%s %s, failed %d: %s, final %d", state_kinds[c->kind].object,
	    c->status != NULL ? c->status : "NULL", c->failed, s.state,
	    s.final);
}
END_TEST

static const struct session {
	const char *status, *payment_status;
	enum object_kind kind;
	const char *paid_status;
	bool failed;
	const char *state;
	bool final;
} sessions[] = {
#define PI KIND_PAYMENT_INTENT
	{ "open", "unpaid", PI, NULL, false, "open", false },
	{ "expired", "unpaid", PI, NULL, false, "expired", true },
	{ NULL, NULL, PI, NULL, false, "pending", false },
	{ "complete", "paid", PI, NULL, false, "succeeded", true },
	/* The session was told later than the payment, or earlier. */
	{ "complete", "paid", PI, "processing", false, "succeeded", true },
	{ "complete", "unpaid", PI, "succeeded", false, "succeeded", true },
	{ "complete", "no_payment_required", KIND_SETUP_INTENT, "succeeded",
	    false, "succeeded", true },
	{ "complete", "no_payment_required", KIND_SUBSCRIPTION, "trialing",
	    false, "succeeded", true },
	/* A bank takes days, and may refuse. */
	{ "complete", "unpaid", PI, NULL, false, "processing", false },
	{ "complete", "unpaid", PI, "processing", false, "processing", false },
	{ "complete", "unpaid", PI, "requires_payment_method", true, "failed",
	    true },
	{ "complete", "unpaid", PI, "canceled", false, "canceled", true },
	{ "complete", "unpaid", PI, "requires_capture", false, "authorized",
	    false },
	{ "complete", "unpaid", KIND_SUBSCRIPTION, NULL, false, "processing",
	    false },
	/* What Stripe may say one day. */
	{ "complete", "odd", PI, NULL, false, "processing", false },
	{ "complete", NULL, PI, NULL, false, "processing", false },
#undef PI
};

START_TEST(session)
{
	const struct session *c = &sessions[_i];
	struct state got = state_of_session(c->status, c->payment_status,
	    c->kind, c->paid_status, c->failed);

	ck_assert_msg(strcmp(got.state, c->state) == 0 &&
	    got.final == c->final, "%d: %s, final %d", _i, got.state,
	    got.final);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("state");
	TCase *tc = tcase_create("state");

	tcase_add_loop_test(tc, kind_of_id, 0, N(ids));
	tcase_add_test(tc, length_of_id);
	tcase_add_test(tc, table_of_kinds);
	tcase_add_loop_test(tc, state_of_status, 0, N(statuses));
	tcase_add_loop_test(tc, session, 0, N(sessions));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
