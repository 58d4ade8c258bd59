/*
 * Requests through libfcgi, as records of a peer: which parameters and bodies
 * are taken, and that every one is read to its end before it is answered.
 */
#include <fastcgi.h>
#include <obstack.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "http/reply.h"
#include "http/request.h"
#include "suite.h"

#define N(array) (int)(sizeof(array) / sizeof((array)[0]))

enum { ID = 0x0203, BODY_MAX = 64 };

static int listening, peer;
static FCGX_Request fcgi;
static struct obstack mem;
static char input[1 << 17];
static size_t input_len;

static void
setup(void)
{
	const struct sockaddr_un any = { .sun_family = AF_UNIX };
	struct sockaddr_un sun;
	socklen_t len = sizeof(sun);

	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	/* The kernel names it. */
	ck_assert_int_eq(bind(listening, (const struct sockaddr *)&any,
	    sizeof(any.sun_family)), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&sun,
	    &len), 0);
	peer = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(peer, (struct sockaddr *)&sun, len), 0);
	ck_assert_int_eq(request_library_init(4096), 0);
	ck_assert_int_eq(request_init(&fcgi, listening), 0);
	obstack_init(&mem);
	input_len = 0;
}

static void
teardown(void)
{
	obstack_free(&mem, NULL);
	close(peer);
	close(listening);
}

static void
put(unsigned char type, const char *text, size_t len)
{
	const FCGI_Header h = { .version = FCGI_VERSION_1, .type = type,
	    .requestIdB1 = ID >> 8, .requestIdB0 = ID & 0xff,
	    .contentLengthB1 = (unsigned char)(len >> 8),
	    .contentLengthB0 = (unsigned char)len };

	memcpy(input + input_len, &h, sizeof(h));
	memcpy(input + input_len + sizeof(h), text, len);
	input_len += sizeof(h) + len;
}

/* Parameters are written NAME=value; NULL ends them. */
static void
put_params(const char *const *params)
{
	char text[4096];
	size_t len = 0;

	put(FCGI_BEGIN_REQUEST, "\0\1\1\0\0\0\0\0", 8);
	for (; *params != NULL; params++) {
		size_t name = strcspn(*params, "="), value;

		value = strlen(*params) - name - 1;
		text[len++] = (char)name;
		text[len++] = (char)value;
		memcpy(text + len, *params, name);
		memcpy(text + len + name, *params + name + 1, value);
		len += name + value;
	}
	if (len > 0)
		put(FCGI_PARAMS, text, len);
	put(FCGI_PARAMS, "", 0);
}

static enum outcome
read_it(struct request *req)
{
	ck_assert_int_eq(send(peer, input, input_len, 0), (ssize_t)input_len);
	ck_assert_int_eq(request_accept(&fcgi), 0);
	/* Whatever the peer wishes, a connection is for one request. */
	ck_assert_int_eq(fcgi.keepConnection, 0);
	return request_read(req, &fcgi, &mem, BODY_MAX);
}

static const struct {
	const char *length;	/* CONTENT_LENGTH's value, NULL for none */
	size_t sent;
	enum outcome out;
	size_t len;
} bodies[] = {
	{ "5", 5, OUT_OK, 5 },
	{ "05", 5, OUT_OK, 5 },
	{ "64", 64, OUT_OK, 64 },
	{ "5", 9, OUT_OK, 5 },
	{ NULL, 0, OUT_OK, 0 },
	{ "", 3, OUT_OK, 0 },
	{ "0", 0, OUT_OK, 0 },
	{ "65", 65, OUT_TOO_LARGE, 0 },
	{ "9223372036854775807", 0, OUT_TOO_LARGE, 0 },
	{ "65", 60000, OUT_TOO_LARGE, 0 },
	{ "9223372036854775808", 5, OUT_BAD_REQUEST, 0 },
	{ "-5", 5, OUT_BAD_REQUEST, 0 },
	{ "+5", 5, OUT_BAD_REQUEST, 0 },
	{ " 5", 5, OUT_BAD_REQUEST, 0 },
	{ "5 ", 5, OUT_BAD_REQUEST, 0 },
	{ "0x5", 5, OUT_BAD_REQUEST, 0 },
	{ "5", 4, OUT_BAD_REQUEST, 0 },
};

START_TEST(body)
{
	static char text[60000];
	char length[64];
	const char *const params[] = { bodies[_i].length != NULL ? length :
	    NULL, NULL };
	struct request req;
	enum outcome out;

	memset(text, 'x', sizeof(text));
	if (bodies[_i].length != NULL)
		snprintf(length, sizeof(length), "CONTENT_LENGTH=%s",
		    bodies[_i].length);
	put_params(params);
	if (bodies[_i].sent > 0)
		put(FCGI_STDIN, text, bodies[_i].sent);
	put(FCGI_STDIN, "", 0);
	out = read_it(&req);
	ck_assert_msg(out == bodies[_i].out, "%s: %s", bodies[_i].length,
	    outcome_table[out].code);
	/* All of it was read, or nginx would make a 502 of the answer. */
	ck_assert_int_eq(recv(fcgi.ipcFd, text, 1, MSG_DONTWAIT | MSG_PEEK),
	    -1);
	if (out == OUT_OK) {
		ck_assert_uint_eq(req.body_len, bodies[_i].len);
		ck_assert_uint_eq(strspn(req.body, "x"), bodies[_i].len);
		ck_assert_int_eq(req.body[req.body_len], '\0');
	}
	ck_assert_int_eq(reply_outcome(&fcgi, out, "POST"), 0);
}
END_TEST

START_TEST(parameters)
{
	static const char *const params[] = { "REQUEST_METHOD=GET",
	    "DOCUMENT_URI=/p", "QUERY_STRING=a=b", "REQUEST_ID=r",
	    "HTTP_STRIPE_SIGNATURE=t=1,v1=2", "HTTP_AUTHORIZATION=Bearer x",
	    "HTTP_IF_NONE_MATCH=\"e\"", "HTTP_LAST_EVENT_ID=l",
	    "HTTP_ACCEPT=*/*", "HTTP_ORIGIN=https://o", "REQUEST_METHOD=PUT",
	    NULL };
	struct request req;

	put_params(params);
	put(FCGI_STDIN, "", 0);
	ck_assert_int_eq(read_it(&req), OUT_OK);
	/* Of two the first counts. */
	ck_assert_str_eq(req.method, "GET");
	ck_assert_str_eq(req.path, "/p");
	ck_assert_str_eq(req.query, "a=b");
	ck_assert_str_eq(req.id, "r");
	ck_assert_str_eq(req.signature, "t=1,v1=2");
	ck_assert_str_eq(req.authorization, "Bearer x");
	ck_assert_str_eq(req.if_none_match, "\"e\"");
	ck_assert_str_eq(req.last_event_id, "l");
	ck_assert_str_eq(req.accept, "*/*");
	ck_assert_str_eq(req.origin, "https://o");
	ck_assert_int_eq(reply_outcome(&fcgi, OUT_OK, ""), 0);
}
END_TEST

START_TEST(no_parameters)
{
	static const char *const none[] = { NULL };
	struct request req;

	put_params(none);
	put(FCGI_STDIN, "", 0);
	ck_assert_int_eq(read_it(&req), OUT_OK);
	ck_assert_str_eq(req.method, "");
	ck_assert_str_eq(req.path, "");
	ck_assert_str_eq(req.query, "");
	ck_assert_ptr_null(req.signature);
	ck_assert_ptr_null(req.authorization);
	ck_assert_ptr_null(req.origin);
	ck_assert_str_eq(req.body, "");
	ck_assert_int_eq(reply_outcome(&fcgi, OUT_OK, ""), 0);
}
END_TEST

/* A peer that breaks off has asked for nothing. */
START_TEST(broken_off)
{
	put_params((const char *const[]){ "CONTENT_LENGTH=5", NULL });
	put(FCGI_STDIN, "xxxx", 4);
	ck_assert_int_eq(send(peer, input, input_len, 0), (ssize_t)input_len);
	shutdown(peer, SHUT_WR);
	for (int tries = 0; tries < 5; tries++)
		ck_assert_int_lt(request_accept(&fcgi), 0);
}
END_TEST

/* Another worker was quicker. */
START_TEST(nobody_there)
{
	FCGX_Request other;
	struct request req;

	put_params((const char *const[]){ NULL });
	put(FCGI_STDIN, "", 0);
	ck_assert_int_eq(send(peer, input, input_len, 0), (ssize_t)input_len);
	ck_assert_int_eq(request_accept(&fcgi), 0);
	ck_assert_int_eq(request_read(&req, &fcgi, &mem, BODY_MAX), OUT_OK);
	ck_assert_int_eq(request_init(&other, listening), 0);
	ck_assert_int_lt(request_accept(&other), 0);
	ck_assert_int_eq(reply_outcome(&fcgi, OUT_OK, ""), 0);
}
END_TEST

/* The answer, without waiting for the peer to close its end. */
static const struct {
	enum outcome out;
	const char *head;	/* what stands in it */
	const char *body;
} answers[] = {
	{ OUT_OK, "Status: 200 OK\r\n", "{\"received\":true}" },
	{ OUT_METHOD, "\r\nAllow: POST\r\n", "\"method_not_allowed\"" },
	{ OUT_QUEUE_FULL, "\r\nRetry-After: 5\r\n", "\"queue_full\"" },
	{ OUT_TOO_LARGE, "Status: 413 Content Too Large\r\n", "too_large" },
};

START_TEST(answer)
{
	static char raw[4096];
	struct request req;
	const char *text;
	ssize_t n, len = 0;

	put_params((const char *const[]){ NULL });
	put(FCGI_STDIN, "", 0);
	ck_assert_int_eq(read_it(&req), OUT_OK);
	ck_assert_int_eq(reply_outcome(&fcgi, answers[_i].out, "POST"), 0);
	ck_assert_int_lt(fcgi.ipcFd, 0);
	while ((n = read(peer, raw + len, sizeof(raw) - 1 - (size_t)len)) > 0)
		len += n;
	ck_assert_int_eq(n, 0);
	raw[len] = '\0';
	text = memmem(raw, (size_t)len, "\r\n\r\n", 4);
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(memmem(raw, (size_t)(text - raw) + 2,
	    answers[_i].head, strlen(answers[_i].head)));
	ck_assert_ptr_nonnull(strstr(text, answers[_i].body));
}
END_TEST

/* A peer that is gone is told of, and kills nobody. */
START_TEST(peer_gone)
{
	struct request req;

	put_params((const char *const[]){ NULL });
	put(FCGI_STDIN, "", 0);
	ck_assert_int_eq(read_it(&req), OUT_OK);
	close(peer);
	peer = -1;
	ck_assert_int_eq(reply_outcome(&fcgi, OUT_OK, ""), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("request");
	TCase *tc = tcase_create("request");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, body, 0, N(bodies));
	tcase_add_test(tc, parameters);
	tcase_add_test(tc, no_parameters);
	tcase_add_test(tc, broken_off);
	tcase_add_test(tc, nobody_there);
	tcase_add_loop_test(tc, answer, 0, N(answers));
	tcase_add_test(tc, peer_gone);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
