/*
 * One walk over the text, which copies it, but for the values that an edit
 * replaces.
 */
#include "stripe/json_edit.h"

#include <stdlib.h>
#include <string.h>

#include "stripe/json.h"

enum {
	UTF8_MAX = 4,		/* bytes of a character */
	NAME_MAX_LEN = 255,	/* of a member's name that an edit can mean */
	POINTER_MAX = 4096
};

struct walk {
	const char *p, *end;
	FILE *out;
	json_edit_fn *edit;
	const void *arg;
	size_t edits;
	unsigned depth;
	char pointer[POINTER_MAX];	/* of the value at hand */
	size_t pointer_len;
};

static bool walk_value(struct walk *w, const char *name);

static void
copy_space(struct walk *w)
{
	while (w->p < w->end && strchr(" \t\r\n", *w->p) != NULL &&
	    *w->p != '\0')
		putc(*w->p++, w->out);
}

/* Copies one character that must come next. */
static bool
expect(struct walk *w, char c)
{
	copy_space(w);
	if (w->p == w->end || *w->p != c)
		return false;
	putc(*w->p++, w->out);
	return true;
}

/* The end of the string that begins at p, or NULL. */
static const char *
string_end(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			return p + 1;
	}
	return NULL;
}

/* The end of the value that begins at p, or NULL; brackets are counted. */
static const char *
value_end(const char *p, const char *end)
{
	unsigned depth = 0;

	do {
		if (p == end)
			return NULL;
		if (*p == '"') {
			if ((p = string_end(p, end)) == NULL)
				return NULL;
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && depth-- == 0)
			return NULL;
		p++;
	} while (depth > 0);
	if (p[-1] != '"' && p[-1] != '}' && p[-1] != ']')
		while (p < end && strchr(",]} \t\r\n", *p) == NULL)
			p++;
	return p;
}

/* The value of four hexadecimal digits, or -1. */
static long
hex_value(const char *s)
{
	char digits[5] = "";

	memcpy(digits, s, 4);
	return strspn(digits, "0123456789abcdefABCDEF") == 4 ?
	    strtol(digits, NULL, 16) : -1;
}

/*
 * The character of \uXXXX, or of a pair of them, and moves *p from the 'u' to
 * its last byte. Half a pair is U+FFFD, as it is to json-c.
 */
static unsigned long
read_escape(const char **p, const char *end)
{
	long c, low;

	if (end - *p <= 4 || (c = hex_value(*p + 1)) < 0)
		return '?';
	*p += 4;
	if ((c & 0xfc00) == 0xd800 && end - *p > 6 &&
	    memcmp(*p + 1, "\\u", 2) == 0 &&
	    (low = hex_value(*p + 3)) >= 0 && (low & 0xfc00) == 0xdc00) {
		*p += 6;
		return 0x10000UL + ((unsigned long)(c & 0x3ff) << 10) +
		    (unsigned long)(low & 0x3ff);
	}
	return (c & 0xf800) == 0xd800 ? 0xfffd : (unsigned long)c;
}

/* Writes a character as UTF-8 (NUL as '?'); returns the bytes. */
static size_t
put_utf8(char out[UTF8_MAX], unsigned long c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1) {
		out[0] = (char)(c != 0 ? c : '?');
		return n;
	}
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)((0xf00 >> n & 0xff) | c);
	return n;
}

/* The name in quotes, its escapes resolved; cut when too long. */
static void
read_name(char name[NAME_MAX_LEN + 1], const char *p, const char *end)
{
	static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
	size_t n = 0;

	for (p++, end--; p < end && n + UTF8_MAX <= NAME_MAX_LEN; p++) {
		const char *at;

		if (*p != '\\' || p + 1 == end) {
			name[n++] = *p;
		} else if (*++p == 'u') {
			n += put_utf8(name + n, read_escape(&p, end));
		} else {
			at = strchr(from, *p);
			name[n++] = at != NULL ? to[at - from] : *p;
		}
	}
	name[n] = '\0';
}

/* Adds a step to the pointer, as RFC 6901 has it; what is too long is cut. */
static void
push(struct walk *w, const char *step)
{
	size_t n = w->pointer_len;

	if (n + 1 < POINTER_MAX)
		w->pointer[n++] = '/';
	for (; *step != '\0' && n + 2 < POINTER_MAX; step++) {
		if (*step == '~' || *step == '/') {
			w->pointer[n++] = '~';
			w->pointer[n++] = *step == '~' ? '0' : '1';
		} else {
			w->pointer[n++] = *step;
		}
	}
	w->pointer[n] = '\0';
	w->pointer_len = n;
}

static bool
walk_step(struct walk *w, const char *step, const char *name)
{
	size_t before = w->pointer_len;
	bool good;

	push(w, step);
	good = walk_value(w, name);
	w->pointer_len = before;
	w->pointer[before] = '\0';
	return good;
}

static bool
walk_object(struct walk *w)
{
	char name[NAME_MAX_LEN + 1];
	const char *end;

	if (!expect(w, '{'))
		return false;
	if (expect(w, '}'))
		return true;
	do {
		copy_space(w);
		if (w->p == w->end || *w->p != '"' ||
		    (end = string_end(w->p, w->end)) == NULL)
			return false;
		read_name(name, w->p, end);
		fwrite(w->p, 1, (size_t)(end - w->p), w->out);
		w->p = end;
		if (!expect(w, ':') || !walk_step(w, name, name))
			return false;
	} while (expect(w, ','));
	return expect(w, '}');
}

static bool
walk_array(struct walk *w)
{
	char step[24];
	size_t i = 0;

	if (!expect(w, '['))
		return false;
	if (expect(w, ']'))
		return true;
	do {
		snprintf(step, sizeof(step), "%zu", i++);
		if (!walk_step(w, step, ""))
			return false;
	} while (expect(w, ','));
	return expect(w, ']');
}

static bool
walk_value(struct walk *w, const char *name)
{
	struct json_place v = { .name = name, .pointer = w->pointer };
	const char *end;
	bool good = true;

	copy_space(w);
	if (w->depth > JSON_DEPTH || w->p == w->end ||
	    (end = value_end(w->p, w->end)) == NULL)
		return false;
	v.text = w->p;
	v.len = (size_t)(end - w->p);
	if (w->edit(w->out, &v, w->arg)) {
		w->edits++;
		w->p = end;
		return true;
	}
	w->depth++;
	if (*w->p == '{') {
		good = walk_object(w);
	} else if (*w->p == '[') {
		good = walk_array(w);
	} else {
		fwrite(v.text, 1, v.len, w->out);
		w->p = end;
	}
	w->depth--;
	return good;
}

char *
json_edit(const char *text, size_t len, json_edit_fn *edit, const void *arg,
    size_t *out_len, size_t *edits)
{
	struct walk w = { .p = text, .end = text + len, .edit = edit,
	    .arg = arg };
	char *result = NULL;
	bool good;

	if ((w.out = open_memstream(&result, out_len)) == NULL)
		abort();
	good = walk_value(&w, "");
	copy_space(&w);
	good = good && w.p == w.end;
	if (fclose(w.out) != 0)
		abort();
	*edits = w.edits;
	if (good)
		return result;
	free(result);
	return NULL;
}
