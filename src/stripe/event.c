/* Reads an event's own fields; what its object holds is mapping's business. */
#include "stripe/event.h"

#include <malloc.h>
#include <obstack.h>
#include <string.h>
#include <time.h>

#include <json-c/json_object.h>

#include "stripe/json.h"

enum {
	TEXT_MAX = 255,		/* as the columns that take these texts */
	BIG = 256 * 1024	/* a body whose tree is worth giving back */
};

/* The last second of 9999: DATETIME ends there. */
static const int64_t time_max = 253402300799;

#define TEXT_WHY "must be a string of 1 to 255 printable ASCII characters"

static const struct text_field {
	const char *key;
	size_t offset;		/* in struct event */
	bool need;
	const char *why;
} text_fields[] = {
	{ "id", offsetof(struct event, id), true, "'id' " TEXT_WHY },
	{ "type", offsetof(struct event, type), true, "'type' " TEXT_WHY },
	{ "account", offsetof(struct event, account), false,
	    "'account' " TEXT_WHY },
	{ "api_version", offsetof(struct event, api_version), false,
	    "'api_version' " TEXT_WHY },
};

/* A string's text, or NULL if v isn't one or if a NUL would cut it short. */
static const char *
get_text(struct json_object *v)
{
	const char *s;

	if (!json_object_is_type(v, json_type_string))
		return NULL;
	s = json_object_get_string(v);
	return strlen(s) == (size_t)json_object_get_string_len(v) ? s : NULL;
}

/* Copies v, or returns NULL if it isn't a short printable ASCII string. */
static const char *
copy_text(struct obstack *mem, struct json_object *v)
{
	const char *s = get_text(v);
	size_t len = s != NULL ? strlen(s) : 0;

	if (len < 1 || len > TEXT_MAX)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (s[i] < 0x21 || s[i] > 0x7e)
			return NULL;
	return obstack_copy0(mem, s, (int)len);
}

/* The member, or NULL also if it is null or obj isn't an object. */
static struct json_object *
member(struct json_object *obj, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(obj, json_type_object))
		return NULL;
	json_object_object_get_ex(obj, key, &v);
	return v;
}

/* These readers return NULL, or what is wrong. */

static const char *
read_texts(struct event *ev, struct obstack *mem)
{
	const size_t n = sizeof(text_fields) / sizeof(text_fields[0]);

	for (const struct text_field *f = text_fields; f < text_fields + n;
	    f++) {
		struct json_object *v = member(ev->root, f->key);
		const char *s = copy_text(mem, v);

		if (s == NULL && (v != NULL || f->need))
			return f->why;
		if (s != NULL)
			memcpy((char *)ev + f->offset, &s, sizeof(s));
	}
	return NULL;
}

/* 'object' tells snapshot events from thin ones, and both from the rest. */
static const char *
read_kind(struct event *ev)
{
	const char *kind = get_text(member(ev->root, "object"));

	ev->thin = kind != NULL && strcmp(kind, "v2.core.event") == 0;
	if (!ev->thin && (kind == NULL || strcmp(kind, "event") != 0))
		return "'object' is neither 'event' nor 'v2.core.event'";
	return NULL;
}

/* Whether s has a digit for each '0' of form and its other characters. */
static bool
has_form(const char *s, const char *form)
{
	for (; *form != '\0'; s++, form++)
		if (*form == '0' ? *s < '0' || *s > '9' : *s != *form)
			return false;
	return true;
}

/* Seconds east of UTC of "Z" or "+hh:mm", or -1 day if it is neither. */
static long
zone_offset(const char *s)
{
	const long no_zone = -86400;
	struct tm tm = { .tm_sec = 0 };
	long secs;

	if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return 0;
	if ((*s != '+' && *s != '-') || !has_form(s + 1, "00:00"))
		return no_zone;
	if (strlen(s) != 6 || strptime(s + 1, "%H:%M", &tm) == NULL)
		return no_zone;
	secs = tm.tm_hour * 3600L + tm.tm_min * 60L;
	return *s == '-' ? -secs : secs;
}

/* Unix seconds of an RFC 3339 time, or -1. */
static int64_t
rfc3339_value(const char *s)
{
	struct tm tm = { .tm_sec = 0 }, same;
	time_t t;
	long offset;
	const char *rest;

	if (!has_form(s, "0000-00-00") ||
	    (s[10] != 'T' && s[10] != 't' && s[10] != ' ') ||
	    !has_form(s + 11, "00:00:00") ||
	    strptime(s, "%Y-%m-%d", &tm) != s + 10 ||
	    strptime(s + 11, "%H:%M:%S", &tm) != s + 19)
		return -1;
	rest = s + 19;
	if (*rest == '.') {
		size_t digits = strspn(rest + 1, "0123456789");

		if (digits == 0)
			return -1;
		rest += 1 + digits;
	}
	if ((offset = zone_offset(rest)) == -86400)
		return -1;
	same = tm;
	t = timegm(&same);
	/* 30 February would have become a day of March. */
	if (t == -1 || (tm.tm_sec < 60 && same.tm_mday != tm.tm_mday))
		return -1;
	return (int64_t)t - offset;
}

static const char *
read_created(struct event *ev)
{
	struct json_object *v = member(ev->root, "created");
	const char *text = get_text(v);

	ev->created = -1;
	if (ev->thin) {
		if (text != NULL)
			ev->created = rfc3339_value(text);
		if (ev->created < 0 || ev->created > time_max)
			return "'created' of a thin event must be an RFC 3339 "
			    "time";
		return NULL;
	}
	if (json_object_is_type(v, json_type_int))
		ev->created = json_object_get_int64(v);
	if (ev->created < 0 || ev->created > time_max)
		return "'created' must be unix seconds up to the year 9999";
	return NULL;
}

static const char *
read_data(struct event *ev, struct obstack *mem)
{
	struct json_object *data = member(ev->root, "data"), *v;
	const char *id;

	v = member(ev->root, "livemode");
	if (v != NULL && !json_object_is_type(v, json_type_boolean))
		return "'livemode' must be true or false";
	ev->livemode = v != NULL && json_object_get_boolean(v);
	if (!ev->thin) {
		ev->object = member(data, "object");
		if (!json_object_is_type(ev->object, json_type_object))
			return "'data.object' must be an object";
		v = member(data, "previous_attributes");
		if (json_object_is_type(v, json_type_object))
			ev->previous = v;
	}
	id = copy_text(mem, member(ev->thin ?
	    member(ev->root, "related_object") : ev->object, "id"));
	if (id != NULL)
		ev->object_id = id;
	return NULL;
}

enum outcome
event_parse(struct event *ev, struct obstack *mem, const char *body,
    size_t len, const char **why)
{
	enum outcome out;

	*ev = (struct event){ .account = "", .object_id = "", .size = len };
	*why = NULL;
	if ((out = json_parse(&ev->root, body, len, why)) != OUT_OK)
		return out;
	if ((*why = read_kind(ev)) == NULL &&
	    (*why = read_texts(ev, mem)) == NULL &&
	    (*why = read_created(ev)) == NULL &&
	    (*why = read_data(ev, mem)) == NULL)
		return OUT_OK;
	event_drop_json(ev);
	return OUT_NO_EVENT;
}

void
event_drop_json(struct event *ev)
{
	if (ev->root == NULL)
		return;
	json_object_put(ev->root);
	ev->root = ev->object = ev->previous = NULL;
	/* The allocator would keep some 50 times the size of the text. */
	if (ev->size > BIG)
		malloc_trim(0);
}
