/* FastCGI records of one request, as far as they came. */
#include "http/records.h"

#include <fastcgi.h>
#include <string.h>

enum {
	BEGIN_LENGTH = sizeof(FCGI_BeginRequestBody),
	LONG_LENGTH = 0x80	/* the first of four bytes of a length */
};

/* Types by the state that expects them. */
static const uint8_t expected[] = {
	[RECORDS_BEGIN] = FCGI_BEGIN_REQUEST,
	[RECORDS_PARAMS] = FCGI_PARAMS,
	[RECORDS_STDIN] = FCGI_STDIN,
};

static unsigned
number(const uint8_t *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

static void
bad(struct records *r, const char *why)
{
	r->state = RECORDS_BAD;
	r->why = why;
}

/* Reads a length of one or four bytes at at; 0 if it isn't all there. */
static size_t
length_at(const struct records *r, size_t at, size_t *value)
{
	const uint8_t *b = r->pair.length + at;

	if (at >= r->pair.nlength)
		return 0;
	if ((b[0] & LONG_LENGTH) == 0) {
		*value = b[0];
		return 1;
	}
	if (at + 4 > r->pair.nlength)
		return 0;
	*value = (size_t)(b[0] & ~LONG_LENGTH) << 24 | (size_t)b[1] << 16 |
	    (size_t)number(b + 2);
	return 4;
}

/* One more byte of the lengths of a name and its value. */
static void
eat_length(struct records *r, uint8_t byte)
{
	size_t name, value, n;

	r->pair.length[r->pair.nlength++] = byte;
	if ((n = length_at(r, 0, &name)) == 0 || length_at(r, n, &value) == 0)
		return;
	r->pair.nlength = 0;
	r->pair.skip = name + value;
	if (r->pair.skip > RECORDS_PARAMS_MAX)
		bad(r, "a parameter is too long");
}

static void
eat_params(struct records *r, const uint8_t *bytes, size_t n)
{
	while (n > 0 && r->state != RECORDS_BAD) {
		size_t step = r->pair.skip < n ? r->pair.skip : n;

		if (step > 0) {
			r->pair.skip -= step;
		} else {
			eat_length(r, *bytes);
			step = 1;
		}
		bytes += step;
		n -= step;
	}
}

static void
eat_content(struct records *r, const uint8_t *bytes, size_t n)
{
	if (r->state == RECORDS_PARAMS) {
		r->params += n;
		eat_params(r, bytes, n);
		if (r->params > RECORDS_PARAMS_MAX)
			bad(r, "its parameters are too long");
	} else if (r->state == RECORDS_STDIN) {
		r->body += n;
	} else {
		/* The role is the first two bytes of what begins. */
		for (size_t i = 0; i < n; i++) {
			size_t at = BEGIN_LENGTH - r->content + i;

			if (at < 2 && bytes[i] != at * FCGI_RESPONDER)
				bad(r, "its role is not responder");
		}
	}
}

/* What the end of the first record, or an empty one, leads to. */
static void
next_state(struct records *r)
{
	if (r->state == RECORDS_PARAMS &&
	    (r->pair.skip > 0 || r->pair.nlength > 0))
		bad(r, "a parameter is cut off");
	else
		r->state++;
}

static void
judge_header(struct records *r)
{
	static const uint8_t none[2];
	const uint8_t *h = r->header, *id = h + 2;

	r->content = number(h + 4);
	r->padding = h[6];
	if (h[0] != FCGI_VERSION_1)
		bad(r, "it is not FastCGI 1");
	else if (h[1] != expected[r->state])
		bad(r, "a record has an unexpected type");
	else if (memcmp(id, none, 2) == 0)
		bad(r, "it has no id");
	else if (r->state == RECORDS_BEGIN && r->content != BEGIN_LENGTH)
		bad(r, "its first record has an unexpected length");
	else if (r->state != RECORDS_BEGIN && memcmp(id, r->id, 2) != 0)
		bad(r, "a record belongs to another request");
	/* libfcgi would take it for the next record. */
	else if (r->padding > 0 && (r->state == RECORDS_BEGIN ||
	    (r->state == RECORDS_PARAMS && r->content == 0)))
		bad(r, "there is padding before another kind of record");
	memcpy(r->id, id, 2);
}

/* Takes what of n bytes is of one part of a record; returns how many. */
static size_t
eat_part(struct records *r, const uint8_t *bytes, size_t n)
{
	size_t wanted = r->nheader < RECORD_HEADER ?
	    RECORD_HEADER - r->nheader :
	    r->content > 0 ? r->content : r->padding;
	size_t step = wanted < n ? wanted : n;

	if (r->nheader == 0)
		r->at = r->seen;
	if (r->nheader < RECORD_HEADER) {
		memcpy(r->header + r->nheader, bytes, step);
		r->nheader += step;
		if (r->nheader == RECORD_HEADER)
			judge_header(r);
	} else if (r->content > 0) {
		eat_content(r, bytes, step);
		r->content -= step;
	} else {
		r->padding -= step;
	}
	r->seen += step;
	return step;
}

enum records_state
records_eat(struct records *r, const uint8_t *bytes, size_t n)
{
	while (n > 0 && r->state < RECORDS_WHOLE) {
		size_t step = eat_part(r, bytes, n);

		bytes += step;
		n -= step;
		if (r->state == RECORDS_BAD || r->nheader < RECORD_HEADER ||
		    r->content > 0 || r->padding > 0)
			continue;
		r->nheader = 0;
		if (r->state == RECORDS_BEGIN || number(r->header + 4) == 0)
			next_state(r);
	}
	return r->state;
}

void
records_end(const struct records *r, uint8_t out[RECORD_HEADER])
{
	memset(out, 0, RECORD_HEADER);
	out[0] = FCGI_VERSION_1;
	out[1] = FCGI_STDIN;
	memcpy(out + 2, r->id, 2);
}
