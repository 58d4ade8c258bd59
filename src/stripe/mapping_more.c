/* Rows that an event gives besides that of its object. */
#include <json-c/json.h>
#include <stdio.h>

#include "stripe/mapping_int.h"

/* A customer with a user tells who the customer is. */
int
map_more_session(struct map_ctx *ctx)
{
	return map_row(ctx, T_CUSTOMER_USERS, ORDER_USER_SESSION, true);
}

/* A price or plan inside a subscription, if it is an object. */
static int
put_plan(struct map_ctx *ctx, struct json_object *holder, const char *base)
{
	static const struct {
		const char *name;
		enum order_kind order;
	} sources[] = {
		{ "price", ORDER_PRICE_INSIDE },
		{ "plan", ORDER_PLAN_INSIDE }
	};
	struct map_ctx sub = *ctx;
	char name[80];

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (!json_object_object_get_ex(holder, sources[i].name,
		    &sub.object) ||
		    !json_object_is_type(sub.object, json_type_object))
			continue;
		snprintf(name, sizeof(name), "%s.%s", base, sources[i].name);
		sub.base = name;
		sub.own = false;
		return map_row(&sub, T_PLANS, sources[i].order, true);
	}
	return 0;
}

int
map_more_subscription(struct map_ctx *ctx)
{
	struct json_object *list;
	char base[64];
	size_t n;

	if (map_find_list(ctx, "/items/data", &list, &n) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		snprintf(base, sizeof(base), "%s.items.data.%zu", ctx->base,
		    i);
		if (put_plan(ctx, json_object_array_get_idx(list, i),
		    base) != 0)
			return -1;
	}
	/* Subscriptions of old had a plan instead of items. */
	if (n == 0 && put_plan(ctx, ctx->object, ctx->base) != 0)
		return -1;
	return map_row(ctx, T_CUSTOMER_USERS, ORDER_USER_SUBSCRIPTION, true);
}
