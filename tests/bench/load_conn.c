/* A connection of the load generator, plain or TLS, kept from one to another. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "load.h"

enum { ANSWER_MAX = 8192 };

struct load_wire {
	int fd;			/* -1: not connected */
	SSL *ssl;		/* NULL: plain */
	char *out;
	size_t out_len, out_done, in_len;
	char in[ANSWER_MAX];
};

static const struct load_options *opt;
static int epoll = -1;
static SSL_CTX *tls;

int
load_conn_init(const struct load_options *options)
{
	opt = options;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (opt->tls) {
		tls = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
		SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
		    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	}
	return epoll;
}

void
load_conn_new(struct load_conn *c)
{
	c->wire = mem_calloc(1, sizeof(*c->wire));
	c->wire->fd = -1;
	c->wire->out = mem_calloc(1, load_request_max());
}

static void
drop(struct load_wire *w)
{
	if (w->ssl != NULL)
		SSL_free(w->ssl);
	w->ssl = NULL;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* Edge-triggered and for both, so that no change of interest is ever told. */
static void
open_wire(struct load_wire *w, struct load_conn *c)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)opt->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event ev = { .data.ptr = c,
	    .events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP };
	int one = 1;

	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd < 0)
		return;
	setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if ((connect(w->fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 &&
	    errno != EINPROGRESS) ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, w->fd, &ev) != 0) {
		drop(w);
		return;
	}
	if (tls != NULL) {
		w->ssl = SSL_new(tls);
		SSL_set_fd(w->ssl, w->fd);
		SSL_set_connect_state(w->ssl);
	}
}

/* Bytes moved, 0 if it would block, -1 if the connection is gone. */
static ssize_t
result(struct load_wire *w, ssize_t n)
{
	int why;

	if (n > 0)
		return n;
	if (w->ssl == NULL)
		return n < 0 && (errno == EAGAIN || errno == ENOTCONN) ?
		    0 : -1;
	why = SSL_get_error(w->ssl, (int)n);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ?
	    0 : -1;
}

static ssize_t
put(struct load_wire *w)
{
	const char *p = w->out + w->out_done;
	size_t len = w->out_len - w->out_done;

	return result(w, w->ssl != NULL ? SSL_write(w->ssl, p, (int)len) :
	    send(w->fd, p, len, MSG_NOSIGNAL));
}

static ssize_t
take(struct load_wire *w)
{
	char *p = w->in + w->in_len;
	size_t len = ANSWER_MAX - 1 - w->in_len;

	return result(w, w->ssl != NULL ? SSL_read(w->ssl, p, (int)len) :
	    recv(w->fd, p, len, 0));
}

/* Sends what can be sent; -1 if the connection is gone. */
static int
send_some(struct load_wire *w)
{
	ssize_t n;

	while (w->out_done < w->out_len) {
		if ((n = put(w)) <= 0)
			return (int)n;
		w->out_done += (size_t)n;
	}
	return 0;
}

enum load_end
load_conn_begin(struct load_conn *c, long number, int64_t due_us)
{
	struct load_wire *w = c->wire;

	if (w->fd < 0)
		open_wire(w, c);
	w->out_len = load_request(w->out, number);
	w->out_done = w->in_len = 0;
	c->number = number;
	c->sent_us = load_now();
	c->due_us = due_us != 0 ? due_us : c->sent_us;
	if (w->fd < 0 || send_some(w) != 0) {
		drop(w);
		return LOAD_BROKEN;
	}
	c->busy = true;
	return LOAD_NOT_YET;
}

/* Whether the whole answer is there: head and Content-Length bytes. */
static bool
complete(struct load_wire *w)
{
	const char *end, *len;

	w->in[w->in_len] = '\0';
	if ((end = strstr(w->in, "\r\n\r\n")) == NULL)
		return false;
	if (strncmp(w->in + 9, "304", 3) == 0)
		return true;
	len = strcasestr(w->in, "content-length:");
	if (len == NULL || len > end)	/* chunked: see its last chunk */
		return memcmp(w->in + w->in_len - 5, "0\r\n\r\n", 5) == 0;
	return w->in_len >= (size_t)(end - w->in) + 4 +
	    strtoul(len + 15, NULL, 10);
}

static enum load_end
ended(struct load_conn *c, int *status)
{
	struct load_wire *w = c->wire;

	*status = atoi(w->in + 9);
	if (*status < 100 || *status > 599)
		*status = 0;
	if (strcasestr(w->in, "connection: close") != NULL)
		drop(w);
	c->busy = false;
	return LOAD_ANSWERED;
}

enum load_end
load_conn_step(struct load_conn *c, int *status)
{
	struct load_wire *w = c->wire;
	ssize_t n;

	if (w->fd < 0)
		return LOAD_NOT_YET;
	n = c->busy && send_some(w) != 0 ? -1 : 0;
	while (n == 0 && (n = take(w)) > 0) {
		w->in_len += (size_t)n;
		if (c->busy && complete(w))
			return ended(c, status);
		/* More than an answer, or one to no request. */
		n = c->busy && w->in_len < ANSWER_MAX - 1 ? 0 : -1;
	}
	if (n == 0)
		return LOAD_NOT_YET;
	drop(w);
	if (!c->busy)
		return LOAD_NOT_YET;
	c->busy = false;
	*status = 0;
	return LOAD_BROKEN;
}
