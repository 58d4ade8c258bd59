/*
 * Reads FastCGI records as the specification has them (version 1.0), of the
 * kinds and in the order that nginx sends them.
 */
#include "fuzz_fcgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <limits.h>

struct record {
	unsigned char version, type;
	int id;
	struct fuzz_input content;
	size_t padding;
	bool whole;
};

/* A stream of records put together. */
struct stream {
	FILE *f;
	char *text;
	size_t len;
	bool ended;
};

/* Takes bytes, or as many as there are. */
static struct fuzz_input
take(struct fuzz_input *in, size_t len)
{
	struct fuzz_input part = { in->p, len < in->len ? len : in->len };

	in->p += part.len;
	in->len -= part.len;
	return part;
}

/* The next record; its padding is still to be taken. */
static struct record
next_record(struct fuzz_input *in)
{
	struct fuzz_input head = take(in, sizeof(FCGI_Header));
	struct record r = { .whole = false };
	FCGI_Header h;
	size_t len;

	if (head.len < sizeof(h))
		return r;
	memcpy(&h, head.p, sizeof(h));
	len = (size_t)h.contentLengthB1 << 8 | h.contentLengthB0;
	r = (struct record){ .version = h.version, .type = h.type,
	    .id = h.requestIdB1 << 8 | h.requestIdB0,
	    .padding = h.paddingLength,
	    .whole = len + h.paddingLength <= in->len };
	r.content = take(in, len);
	return r;
}

/* A length of one or four bytes, or -1. */
static long
take_length(struct fuzz_input *in)
{
	long n;

	if (in->len == 0)
		return -1;
	n = fuzz_byte(in);
	if ((n & 0x80) == 0)
		return n;
	if (in->len < 3)
		return -1;
	n &= 0x7f;
	for (int i = 0; i < 3; i++)
		n = n << 8 | fuzz_byte(in);
	return n;
}

/* The pairs, or NULL if they aren't whole. */
static char **
read_pairs(struct fuzz_input in)
{
	char **list = calloc(in.len + 1, sizeof(*list));
	size_t n = 0;
	long name, value;
	bool whole = true;

	MUST(list != NULL);
	while (in.len > 0 && whole) {
		name = take_length(&in);
		value = name >= 0 ? take_length(&in) : -1;
		whole = value >= 0 && (size_t)(name + value) <= in.len;
		if (!whole)
			break;
		list[n] = calloc((size_t)(name + value) + 2, 1);
		MUST(list[n] != NULL);
		memcpy(list[n], in.p, (size_t)name);
		list[n][name] = '=';
		memcpy(list[n] + name + 1, in.p + name, (size_t)value);
		n++;
		in.p += name + value;
		in.len -= (size_t)(name + value);
	}
	if (whole)
		return list;
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return NULL;
}

static void
free_pairs(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static void
stream_open(struct stream *s)
{
	s->f = open_memstream(&s->text, &s->len);
	MUST(s->f != NULL);
}

static void
stream_add(struct stream *s, const struct record *r)
{
	if (r->content.len == 0 && r->whole)
		s->ended = true;
	else
		fwrite(r->content.p, 1, r->content.len, s->f);
}

/* One responder's request begins, and nothing is between it and the rest. */
static bool
read_begin(struct fuzz_input *in, int *id)
{
	struct record r = next_record(in);
	const unsigned char *p = (const unsigned char *)r.content.p;

	*id = r.id;
	return r.whole && r.version == FCGI_VERSION_1 &&
	    r.type == FCGI_BEGIN_REQUEST && r.id != FCGI_NULL_REQUEST_ID &&
	    r.content.len == sizeof(FCGI_BeginRequestBody) &&
	    (p[0] << 8 | p[1]) == FCGI_RESPONDER && r.padding == 0;
}

/*
 * Records of one type until an empty one. Padding of that one is in order only
 * if nothing follows.
 */
static bool
read_stream(struct fuzz_input *in, int type, int id, struct stream *s)
{
	struct record r;

	while (!s->ended) {
		r = next_record(in);
		if (!r.whole || r.version != FCGI_VERSION_1 ||
		    r.type != type || r.id != id)
			return false;
		stream_add(s, &r);
		if (s->ended && type == FCGI_PARAMS && r.padding > 0)
			return false;
		take(in, r.padding);
	}
	return true;
}

struct fuzz_fcgi *
fuzz_fcgi_read(struct fuzz_input in)
{
	struct fuzz_fcgi *f = calloc(1, sizeof(*f));
	struct stream params = { .f = NULL }, body = { .f = NULL };

	MUST(f != NULL);
	stream_open(&params);
	stream_open(&body);
	f->orderly = read_begin(&in, &f->id) &&
	    read_stream(&in, FCGI_PARAMS, f->id, &params) &&
	    read_stream(&in, FCGI_STDIN, f->id, &body);
	MUST(fclose(params.f) == 0 && fclose(body.f) == 0);
	if (f->orderly)
		f->params = read_pairs((struct fuzz_input){ params.text,
		    params.len });
	f->orderly = f->params != NULL;
	f->body = body.text;
	f->body_len = body.len;
	free(params.text);
	return f;
}

void
fuzz_fcgi_free(struct fuzz_fcgi *f)
{
	free_pairs(f->params);
	free(f->body);
	free(f);
}

const char *
fuzz_fcgi_param(const struct fuzz_fcgi *f, const char *name)
{
	size_t len = strlen(name);

	for (char **p = f->params; p != NULL && *p != NULL; p++)
		if (strncmp(*p, name, len) == 0 && (*p)[len] == '=')
			return *p + len + 1;
	return NULL;
}

enum outcome
fuzz_fcgi_outcome(const struct fuzz_fcgi *f, size_t body_max)
{
	const char *text = fuzz_fcgi_param(f, "CONTENT_LENGTH");
	unsigned long n = 0;

	if (text != NULL && *text != '\0') {
		errno = 0;
		n = strtoul(text, NULL, 10);
		if (text[strspn(text, "0123456789")] != '\0' ||
		    errno != 0 || n > LONG_MAX)
			return OUT_BAD_REQUEST;
	}
	if (n > body_max)
		return OUT_TOO_LARGE;
	return n <= f->body_len ? OUT_OK : OUT_BAD_REQUEST;
}

char *
fuzz_fcgi_output(struct fuzz_input records, int id, bool *ended)
{
	struct stream out = { .f = NULL };

	*ended = false;
	stream_open(&out);
	while (records.len > 0) {
		struct record r = next_record(&records);

		MUST(r.whole && r.version == FCGI_VERSION_1);
		take(&records, r.padding);
		if (r.id != id)
			continue;
		if (r.type == FCGI_STDOUT)
			stream_add(&out, &r);
		*ended |= r.type == FCGI_END_REQUEST && records.len == 0;
	}
	MUST(fclose(out.f) == 0);
	return out.text;
}
