/*
 * Events: what the parser takes must fit the journal's columns, what the
 * mapping makes of it must fit the tables' columns, and blanking personal data
 * must leave an event that maps as before.
 *
 * Input: the body of a delivery.
 */
#include "fuzz.h"

#include <json-c/json.h>
#include <locale.h>
#include <obstack.h>
#include <wchar.h>

#include "base/config.h"
#include "base/mem.h"
#include "stripe/event.h"
#include "stripe/json.h"
#include "stripe/mapping.h"
#include "stripe/order.h"
#include "stripe/redact.h"

enum { ID_MAX = 255, STR_DEFAULT = 255, USER_KEYS = 2 };

static const int64_t time_max = 253402300799;

/* What one reading of a body gives. */
struct reading {
	struct obstack mem;
	struct event ev;
	struct rows rows;
	enum outcome parsed, mapped;
	const char *why;
};

static void
read_all(struct reading *r, const char *body, size_t len)
{
	static char user_id[] = "user_id", uid[] = "uid";
	static char *list[USER_KEYS] = { user_id, uid };
	static const struct strings keys = { list, USER_KEYS };

	memset(r, 0, sizeof(*r));
	obstack_init(&r->mem);
	r->parsed = event_parse(&r->ev, &r->mem, body, len, &r->why);
	if (r->parsed == OUT_OK)
		r->mapped = mapping_apply(&r->rows, &r->mem, &r->ev, &keys);
}

static void
forget(struct reading *r)
{
	event_drop_json(&r->ev);
	obstack_free(&r->mem, NULL);
}

static void
check_text(const char *s, bool need)
{
	size_t len = strlen(s);

	MUST(len <= ID_MAX && (len > 0 || !need));
	for (size_t i = 0; i < len; i++)
		MUST(s[i] > ' ' && s[i] <= '~');
}

static void
check_event(const struct event *ev)
{
	check_text(ev->id, true);
	check_text(ev->type, true);
	check_text(ev->object_id, false);
	check_text(ev->account, false);
	if (ev->api_version != NULL)
		check_text(ev->api_version, true);
	MUST(ev->created >= 0 && ev->created <= time_max);
	MUST(ev->thin == (ev->object == NULL));
	MUST(ev->object == NULL ||
	    json_object_is_type(ev->object, json_type_object));
}

/* Characters of UTF-8, which it must be. */
static size_t
characters(const char *s, size_t len)
{
	size_t n = 0;
	mbstate_t state;

	memset(&state, 0, sizeof(state));
	while (len > 0) {
		size_t step = mbrlen(s, len, &state);

		MUST(step > 0 && step <= len);
		s += step;
		len -= step;
		n++;
	}
	return n;
}

static void
check_bytes(const struct column *col, const struct value *v)
{
	struct json_object *json;
	const char *why;

	switch (col->type) {
	case COL_STR:
		MUST(characters(v->s, v->len) <=
		    (col->max != 0 ? col->max : STR_DEFAULT));
		break;
	case COL_ID:
		MUST(v->len > 0 && v->len <= ID_MAX);
		for (size_t i = 0; i < v->len; i++)
			MUST(v->s[i] >= ' ' && v->s[i] <= '~');
		break;
	case COL_SHA256:
		MUST(v->len == 32);
		break;
	case COL_JSON:
		if (json_parse(&json, v->s, v->len, &why) == OUT_OK)
			json_object_put(json);
		else
			MUST(*v->s != '{');
		break;
	case COL_INT:
	case COL_BOOL:
	case COL_TIME:
		fuzz_fail("a number has no bytes", __FILE__, __LINE__);
	}
}

static void
check_value(const struct column *col, const struct value *v)
{
	switch (v->type) {
	case VALUE_NULL:
		MUST((col->flags & COL_NEED) == 0);
		break;
	case VALUE_INT:
		MUST(col->type == COL_INT || (col->type == COL_BOOL &&
		    (v->i == 0 || v->i == 1)));
		break;
	case VALUE_TIME:
		MUST(col->type == COL_TIME && v->i >= 0 && v->i <= time_max);
		break;
	case VALUE_BYTES:
		check_bytes(col, v);
		break;
	}
}

static void
check_rows(const struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->row[i];

		MUST(row->order_key_len > 0 &&
		    row->order_key_len <= ORDER_KEY_MAX);
		MUST(row->price_key_len <= ORDER_KEY_MAX);
		for (size_t c = 0; c < row->table->ncols; c++)
			check_value(&row->table->cols[c], &row->values[c]);
	}
	for (size_t i = 0; i < rows->nlinks; i++) {
		MUST(rows->link[i].from_id != NULL &&
		    *rows->link[i].from_id != '\0');
		MUST(rows->link[i].to_id != NULL &&
		    *rows->link[i].to_id != '\0');
	}
}

static void
check_mapped(const struct reading *r)
{
	switch (r->mapped) {
	case OUT_OK:
		MUST(r->rows.n > 0 && r->rows.reason[0] == '\0');
		break;
	case OUT_IGNORED:
	case OUT_FAILED:
		MUST(r->rows.n == 0 && r->rows.nlinks == 0);
		MUST(r->rows.reason[0] != '\0');
		(void)characters(r->rows.reason, strlen(r->rows.reason));
		break;
	default:
		fuzz_fail("no outcome of a mapping", __FILE__, __LINE__);
	}
	check_rows(&r->rows);
}

/* What stays of the event when personal data is gone. */
static void
check_redacted(const struct reading *r, const char *body, size_t len)
{
	struct reading again;
	size_t blank_len, null_len, edits;
	char *blank = redact_text(body, len, redact_defaults, &blank_len,
	    &edits);
	char *null;

	MUST(blank != NULL);
	null = redact_forget(blank, blank_len, &null_len, &edits);
	MUST(null != NULL);
	read_all(&again, null, null_len);
	MUST(again.parsed == OUT_OK);
	MUST(strcmp(again.ev.id, r->ev.id) == 0);
	MUST(strcmp(again.ev.type, r->ev.type) == 0);
	MUST(again.ev.created == r->ev.created);
	if (r->mapped == OUT_OK) {
		MUST(again.mapped == OUT_OK);
		MUST(again.rows.n == r->rows.n);
		MUST(again.rows.nlinks == r->rows.nlinks);
	}
	forget(&again);
	free(blank);
	free(null);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	MUST(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input(data, size);
	struct reading r;

	read_all(&r, in.p, in.len);
	if (r.parsed == OUT_OK) {
		check_event(&r.ev);
		check_mapped(&r);
		check_redacted(&r, in.p, in.len);
	} else {
		MUST(r.parsed == OUT_BAD_JSON || r.parsed == OUT_NO_EVENT);
		MUST(r.why != NULL && r.ev.root == NULL);
	}
	forget(&r);
	return 0;
}
