/* Reads FastCGI records as the specification has them (version 1.0). */
#include "fuzz_fcgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <limits.h>

enum {
	LENGTH_MAX = 1 << 16,	/* of a name or value that is looked at */
	REPLIES_MAX = 5,	/* that fit the socket, with the answer */
	VALUES_ROOM = 55	/* that libfcgi has for FCGI_GET_VALUES */
};

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

/*
 * The pairs, or NULL if they aren't whole. *long_one is set where a length
 * would have libfcgi take memory that it doesn't get; *nul by a NUL in a name,
 * which in FCGI_GET_VALUES has it write to address 0.
 */
static char **
read_pairs(struct fuzz_input in, bool *long_one, bool *nul)
{
	char **list = calloc(in.len + 1, sizeof(*list));
	size_t n = 0;
	long name, value;
	bool whole = true;

	MUST(list != NULL);
	while (in.len > 0 && whole) {
		name = take_length(&in);
		value = name >= 0 ? take_length(&in) : -1;
		*long_one |= name > LENGTH_MAX || value > LENGTH_MAX;
		whole = value >= 0 && (size_t)(name + value) <= in.len;
		if (!whole)
			break;
		*nul |= memchr(in.p, '\0', (size_t)name) != NULL;
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

/* The state of reading: what comes next. */
struct reader {
	struct fuzz_fcgi *f;
	struct stream params, body;
	unsigned replies;	/* that libfcgi gives by itself */
	bool begun, odd;
};

/*
 * What an FCGI_GET_VALUES asks for: libfcgi falls over more than it has room
 * for, and ends the connection over half a pair.
 */
static void
read_values(struct reader *rd, struct fuzz_input content)
{
	bool known = content.len > VALUES_ROOM;
	char **list = read_pairs(content, &known, &known);

	rd->f->known |= known;
	rd->odd |= list == NULL;
	free_pairs(list);
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

/*
 * Where the reader goes over to the next kind of record, libfcgi takes the
 * padding for what follows; nginx puts none there.
 */
static void
go_over(struct reader *rd, struct record *r)
{
	rd->odd |= r->padding > 0;
	r->padding = 0;
}

static void
read_begin(struct reader *rd, struct record *r)
{
	const unsigned char *p = (const unsigned char *)r->content.p;

	if (rd->begun) {
		rd->replies++;
		rd->odd |= r->id == 0 || r->content.len != 8;
		return;
	}
	rd->begun = true;
	go_over(rd, r);
	rd->f->id = r->id;
	rd->odd |= r->id == 0 || r->content.len != 8 || !r->whole ||
	    (p[0] << 8 | p[1]) != FCGI_RESPONDER;
}

/* From here on libfcgi reads another stream, whose lengths aren't known. */
static void
lead_astray(struct reader *rd)
{
	rd->odd = true;
	rd->f->known |= !rd->params.ended;
}

static void
read_record(struct reader *rd, struct record *r)
{
	struct stream *s = rd->params.ended ? &rd->body : &rd->params;
	int type = rd->params.ended ? FCGI_STDIN : FCGI_PARAMS;

	if (r->version != FCGI_VERSION_1) {
		rd->odd = true;
	} else if (r->type == FCGI_BEGIN_REQUEST) {
		read_begin(rd, r);
	} else if (r->id == FCGI_NULL_REQUEST_ID) {
		rd->replies++;
		/* libfcgi takes the content of others for the stream's. */
		if (r->type != FCGI_GET_VALUES)
			lead_astray(rd);
		else
			read_values(rd, r->content);
	} else if (!rd->begun) {
		rd->odd = true;
	} else if (r->id == rd->f->id) {
		rd->odd |= r->type != type;
		stream_add(s, r);
		if (type == FCGI_PARAMS && s->ended)
			go_over(rd, r);
	} else if (r->content.len == 0) {
		/* After it libfcgi skips the next of ours too. */
		lead_astray(rd);
	}
}

struct fuzz_fcgi *
fuzz_fcgi_read(struct fuzz_input in)
{
	static const char get_values[] = { FCGI_VERSION_1, FCGI_GET_VALUES,
	    0, 0 };
	struct fuzz_fcgi *f = calloc(1, sizeof(*f));
	const struct fuzz_input all = in;
	struct reader rd = { .f = f };
	struct record r;
	struct fuzz_input text;
	bool nul = false;

	MUST(f != NULL);
	stream_open(&rd.params);
	stream_open(&rd.body);
	while (in.len > 0 && !rd.body.ended) {
		r = next_record(&in);
		rd.odd |= !r.whole;
		read_record(&rd, &r);
		take(&in, r.padding);
	}
	MUST(fclose(rd.params.f) == 0 && fclose(rd.body.f) == 0);
	text = (struct fuzz_input){ rd.params.text, rd.params.len };
	f->params = read_pairs(text, &f->known, &nul);
	f->body = rd.body.text;
	f->body_len = rd.body.len;
	f->ended = rd.body.ended;
	/* After an error it goes on somewhere behind. */
	f->known |= rd.replies > REPLIES_MAX || (rd.odd && memmem(all.p,
	    all.len, get_values, sizeof(get_values)) != NULL);
	f->orderly = rd.begun && !rd.odd && rd.params.ended &&
	    f->params != NULL;
	free(rd.params.text);
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
	return f->ended && n <= f->body_len ? OUT_OK : OUT_BAD_REQUEST;
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
