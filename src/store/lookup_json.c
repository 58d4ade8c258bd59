/* From a row of the status route's queries to the JSON of its answer. */
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/lookup_int.h"

/* Codes that tell a thief more than a payer are shown as one that doesn't. */
static const char *
shown_decline_code(const char *code)
{
	static const char *const masked[] = {
		"lost_card", "stolen_card", "fraudulent",
		"merchant_blacklist"
	};

	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		if (strcmp(code, masked[i]) == 0)
			return "generic_decline";
	return code;
}

static void
add_text(struct json_object *o, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_object_object_add(o, key, json_object_new_string(value));
}

static void
add_failure(struct json_object *o, const struct lookup_row *row)
{
	struct json_object *f = json_object_new_object();

	add_text(f, "code", row->value[C_CODE]);
	if (row->value[C_DECLINE_CODE] != NULL)
		add_text(f, "decline_code",
		    shown_decline_code(row->value[C_DECLINE_CODE]));
	add_text(f, "message", row->value[C_MESSAGE]);
	json_object_object_add(o, "failure", f);
}

/* A column under its own name, in the JSON type that its SQL type suggests. */
static void
add_column(struct json_object *o, const char *value, const MYSQL_FIELD *field)
{
	if (value == NULL)
		return;
	switch (field->type) {
	case MYSQL_TYPE_TINY:
		json_object_object_add(o, field->name,
		    json_object_new_boolean(value[0] != '0'));
		break;
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
		json_object_object_add(o, field->name,
		    json_object_new_int64(strtoll(value, NULL, 10)));
		break;
	default:
		add_text(o, field->name, value);
		break;
	}
}

static struct state
state_from(enum object_kind kind, const struct lookup_row *row)
{
	bool failed = row->value[C_CODE] != NULL ||
	    row->value[C_DECLINE_CODE] != NULL;
	const char *pays = row->value[C_PAYS];
	enum object_kind paid_kind = KIND_SUBSCRIPTION;

	if (kind != KIND_CHECKOUT_SESSION)
		return state_of(kind, row->value[C_STATUS], failed);
	if (pays != NULL)
		(void)state_kind(pays, strlen(pays), &paid_kind);
	return state_of_session(row->value[C_STATUS],
	    row->value[C_PAYMENT_STATUS], paid_kind, row->value[C_PAYS_STATUS],
	    failed);
}

void
lookup_tell(struct lookup *l, const struct lookup_row *row)
{
	struct json_object *o = json_object_new_object();
	struct state state = row != NULL ? state_from(l->kind, row) :
	    state_of(l->kind, NULL, false);

	add_text(o, "id", l->id);
	add_text(o, "object", state_kinds[l->kind].object);
	add_text(o, "state", state.state);
	json_object_object_add(o, "final",
	    json_object_new_boolean(state.final));
	for (unsigned i = C__MAX; row != NULL && i < row->n; i++)
		add_column(o, row->value[i], &row->field[i]);
	if (row != NULL && strcmp(state.state, "failed") == 0)
		add_failure(o, row);
	l->json = mem_strdup(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	l->final = state.final;
	l->pending = strcmp(state.state, "pending") == 0;
	json_object_put(o);
}
