/* Writes FastCGI records to a connection of its own. */
#include "http/conn.h"

#include <fastcgi.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "http/reply.h"

enum { RECORD_MAX = 65528 };	/* of 65535, a multiple of 8 */

void
conn_take(struct conn *c, FCGX_Request *r)
{
	c->fd = r->ipcFd;
	c->request_id = (uint16_t)r->requestId;
	/* Without an end to the answer, and without closing. */
	FCGX_Free(r, 0);
	r->ipcFd = -1;
}

void
conn_drop(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static FCGI_Header
header(const struct conn *c, unsigned char type, size_t len)
{
	return (FCGI_Header){
		.version = FCGI_VERSION_1,
		.type = type,
		.requestIdB1 = (unsigned char)(c->request_id >> 8),
		.requestIdB0 = (unsigned char)c->request_id,
		.contentLengthB1 = (unsigned char)(len >> 8),
		.contentLengthB0 = (unsigned char)len,
	};
}

/* All of it fits the socket's buffer, or the peer doesn't read. */
static int
put(struct conn *c, struct iovec *iov, size_t n)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += iov[i].iov_len;
	if (c->fd >= 0 && sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    (ssize_t)len)
		return 0;
	conn_drop(c);
	return -1;
}

/* The end of the output, and that of the request. */
struct ending {
	FCGI_Header stdout_end;
	FCGI_EndRequestRecord end;
};

static struct ending
make_ending(const struct conn *c)
{
	return (struct ending){
		.stdout_end = header(c, FCGI_STDOUT, 0),
		.end.header = header(c, FCGI_END_REQUEST,
		    sizeof(FCGI_EndRequestBody)),
		.end.body.protocolStatus = FCGI_REQUEST_COMPLETE,
	};
}

/* ending: NULL if more will follow. */
static int
put_text(struct conn *c, const char *head, size_t head_len, const char *body,
    size_t body_len, struct ending *ending)
{
	FCGI_Header record;
	struct iovec iov[] = {
		{ &record, sizeof(record) }, { (void *)head, head_len },
		{ (void *)body, body_len }, { ending, sizeof(*ending) },
	};

	if (head_len + body_len > RECORD_MAX) {
		conn_drop(c);
		return -1;
	}
	record = header(c, FCGI_STDOUT, head_len + body_len);
	return put(c, iov, ending != NULL ? 4 : 3);
}

int
conn_begin(struct conn *c, const struct reply *reply)
{
	char head[REPLY_HEAD_MAX];
	int n = reply_head(head, reply, false);

	if (n < 0) {
		conn_drop(c);
		return -1;
	}
	return put_text(c, head, (size_t)n, reply->body, reply->body_len,
	    NULL);
}

int
conn_send(struct conn *c, const char *text, size_t len)
{
	return put_text(c, "", 0, text, len, NULL);
}

void
conn_end(struct conn *c)
{
	struct ending ending = make_ending(c);

	(void)put(c, &(struct iovec){ &ending, sizeof(ending) }, 1);
	conn_drop(c);
}

int
conn_answer(struct conn *c, const struct reply *reply)
{
	char head[REPLY_HEAD_MAX];
	int n = reply_head(head, reply, true);
	struct ending ending = make_ending(c);

	return n < 0 ? -1 : put_text(c, head, (size_t)n, reply->body,
	    reply->body_len, &ending);
}

int
conn_reply(struct conn *c, const struct reply *reply)
{
	int rc = conn_answer(c, reply);

	conn_drop(c);
	return rc;
}
