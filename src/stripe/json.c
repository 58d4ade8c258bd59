/*
 * Strict JSON over json-c: one scan of the text finds what json-c would let
 * through, before a tree is built.
 */
#include "stripe/json.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "base/mem.h"

enum {
	SMALL = 4096,		/* what isn't an object is parsed up to here */
	/*
	 * An empty object costs json-c some 700 bytes: a text has at most one
	 * object or array per so many bytes, but for a first few. In Stripe's
	 * own there are more than 60 bytes to each.
	 */
	SPREAD = 16,
	FEW = 4096,
	/*
	 * More than json-c takes to make a tree. What costs it most, besides
	 * objects, are lists of numbers: some 38 bytes to each of the text.
	 */
	PER_TREE = 4096,
	PER_CONTAINER = 1024,
	PER_BYTE = 48
};

struct scan {
	const char *p, *end;
	size_t depth, containers;
	bool nul_escape;	/* the last string has one */
	const char *why;
};

/* Well-formed UTF-8 of more than one byte: the Unicode Standard, table 3-7. */
static const struct utf8_form {
	unsigned char first, last;	/* leading byte */
	unsigned char low, high;	/* second byte */
	size_t len;
} utf8_forms[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* Bytes of the character at p, which isn't ASCII; 0 if it is malformed. */
static size_t
utf8_len(const char *p, const char *end)
{
	const unsigned char *s = (const unsigned char *)p;
	const struct utf8_form *f = utf8_forms;
	const struct utf8_form *stop =
	    f + sizeof(utf8_forms) / sizeof(utf8_forms[0]);

	while (f < stop && s[0] > f->last)
		f++;
	if (f == stop || s[0] < f->first || (size_t)(end - p) < f->len ||
	    s[1] < f->low || s[1] > f->high)
		return 0;
	for (size_t i = 2; i < f->len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return f->len;
}

static bool
wrong(struct scan *s, const char *why)
{
	s->why = why;
	return false;
}

/* Bytes that need no look within a string. */
static inline bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Goes behind a string; s->p is behind its opening quote. */
static bool
scan_string(struct scan *s)
{
	const char *p = s->p, *end = s->end;
	size_t n;

	s->nul_escape = false;
	for (;;) {
		while (p < end && is_plain((unsigned char)*p))
			p++;
		if (p == end)
			return wrong(s, "the text ends within a string");
		if (*p == '"') {
			s->p = p + 1;
			return true;
		}
		if (*p == '\\') {
			if (end - p >= 6 && memcmp(p, "\\u0000", 6) == 0)
				s->nul_escape = true;
			n = 2;
		} else if ((unsigned char)*p < 0x20) {
			return wrong(s, "a control character in a string");
		} else if ((n = utf8_len(p, end)) == 0) {
			return wrong(s, "invalid UTF-8");
		}
		p += n <= (size_t)(end - p) ? n : (size_t)(end - p);
	}
}

static bool
scan_open(struct scan *s)
{
	if (++s->depth > JSON_DEPTH)
		return wrong(s, "nested more than 64 deep");
	s->containers++;
	return true;
}

/* Goes over digits from p on; returns p itself if there are none. */
static const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Goes behind a number whose first character is c, the one before s->p. */
static bool
scan_number(struct scan *s, char c)
{
	const char *end = s->end, *first = c == '-' ? s->p : s->p - 1;
	const char *p = skip_digits(first, end);
	bool good = p > first && (*first != '0' || p == first + 1);

	if (good && p < end && *p == '.') {
		first = p + 1;
		p = skip_digits(first, end);
		good = p > first;
	}
	if (good && p < end && (*p == 'e' || *p == 'E')) {
		first = p + 1;
		if (first < end && (*first == '+' || *first == '-'))
			first++;
		p = skip_digits(first, end);
		good = p > first;
	}
	s->p = p;
	return good ? true : wrong(s, "a malformed number");
}

/* Space, and the letters of true, false and null, which json-c judges. */
static const bool passes[256] = {
	[' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true,
	[','] = true, ['t'] = true, ['r'] = true, ['u'] = true, ['e'] = true,
	['f'] = true, ['a'] = true, ['l'] = true, ['s'] = true, ['n'] = true,
};

/* What stands between strings. */
static bool
scan_char(struct scan *s, char c)
{
	switch (c) {
	case '"':
		return scan_string(s);
	case '{':
	case '[':
		return scan_open(s);
	case '}':
	case ']':
		if (s->depth-- == 0)
			return wrong(s, "a bracket that closes nothing");
		return true;
	case ':':
		/* json-c would cut the name there, making it another one. */
		if (s->nul_escape)
			return wrong(s, "\\u0000 in a name");
		return true;
	case '\0':
		return wrong(s, "a NUL byte");
	default:
		if (c == '-' || (c >= '0' && c <= '9'))
			return scan_number(s, c);
		return wrong(s, "a character that isn't JSON");
	}
}

static bool
scan(struct scan *s)
{
	while (s->p < s->end) {
		while (s->p < s->end && passes[(unsigned char)*s->p])
			s->p++;
		if (s->p < s->end && !scan_char(s, *s->p++))
			return false;
	}
	if (s->depth > 0)
		return wrong(s, "the text ends too early");
	return true;
}

/* The tree; OUT_BAD_JSON if json-c doesn't like it. */
static enum outcome
build(struct json_object **root, const char *text, size_t len,
    const char **why)
{
	/* json-c counts the level of the text itself too. */
	struct json_tokener *tok = json_tokener_new_ex(JSON_DEPTH + 1);
	enum json_tokener_error err;

	if (tok == NULL)
		mem_exhausted();
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	errno = 0;
	*root = json_tokener_parse_ex(tok, text, (int)len);
	err = json_tokener_get_error(tok);
	/* A number may go on, so it needs to be told where the text ends. */
	if (err == json_tokener_continue) {
		*root = json_tokener_parse_ex(tok, "", 1);
		err = json_tokener_get_error(tok);
	}
	/* Another thread may have been faster. */
	if (errno == ENOMEM)
		mem_exhausted();
	json_tokener_free(tok);
	*why = json_tokener_error_desc(err);
	return err == json_tokener_success ? OUT_OK : OUT_BAD_JSON;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Judges a text by its first character, unless only its tree can tell. */
static enum outcome
look(const char *text, size_t len, const char **why)
{
	if (len == 0) {
		*why = "the text is empty";
		return OUT_BAD_JSON;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		*why = "the text begins with a byte order mark";
		return OUT_BAD_JSON;
	}
	if (text[0] == '\0' || strchr("{[\"-0123456789tfn", text[0]) == NULL) {
		*why = "the text doesn't begin like JSON";
		return OUT_BAD_JSON;
	}
	if (text[0] == '{' || len <= SMALL)
		return OUT_OK;
	*why = "not an object";
	return OUT_NO_EVENT;
}

enum outcome
json_parse(struct json_object **root, const char *text, size_t len,
    const char **why)
{
	struct scan s = { .why = NULL };
	enum outcome out;

	*root = NULL;
	for (; len > 0 && is_space(text[0]); text++)
		len--;
	while (len > 0 && is_space(text[len - 1]))
		len--;
	if ((out = look(text, len, why)) != OUT_OK)
		return out;
	s.p = text;
	s.end = text + len;
	if (len > INT_MAX || !scan(&s)) {
		*why = s.why != NULL ? s.why : "the text is too long";
		return OUT_BAD_JSON;
	}
	if (s.containers > FEW && s.containers > len / SPREAD) {
		*why = "more objects and arrays than an event can have";
		return OUT_NO_EVENT;
	}
	/* Where it finds no memory json-c leaves values out and goes on. */
	mem_expect(PER_TREE + s.containers * PER_CONTAINER + len * PER_BYTE);
	if ((out = build(root, text, len, why)) != OUT_OK)
		return out;
	if (json_object_is_type(*root, json_type_object))
		return OUT_OK;
	json_object_put(*root);
	*root = NULL;
	*why = "not an object";
	return OUT_NO_EVENT;
}

const char *
json_text_of(struct json_object *json, size_t *len)
{
	const char *s;

	errno = 0;
	s = json_object_to_json_string_length(json,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len);
	if (s == NULL || errno == ENOMEM)
		mem_exhausted();
	return s;
}
