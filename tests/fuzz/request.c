/*
 * Requests by FastCGI: records as a peer may send them, cut anywhere. Where a
 * second reading of the same records finds an orderly request, ours must have
 * found the same one, and none where it finds none.
 *
 * Input: the size of the pieces in which it arrives, less one, then records.
 */
#include "fuzz.h"

#include <errno.h>
#include <obstack.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "fuzz_fcgi.h"
#include "http/gate.h"
#include "http/records.h"
#include "http/reply.h"
#include "http/request.h"

enum {
	PIECES_MAX = 8,		/* such a socket takes ten unread */
	BODY_MAX = 2048
};

static int listening, first_fd = -1;
static FCGX_Request fcgi;

/*
 * Packets keep their borders: each is read by itself. The kernel names the
 * socket.
 */
static int
connect_to(int fd)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof(addr);
	int peer = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	MUST(peer >= 0);
	MUST(getsockname(fd, (struct sockaddr *)&addr, &len) == 0);
	MUST(connect(peer, (struct sockaddr *)&addr, len) == 0);
	/* It is the lowest one that is free: always the same. */
	if (first_fd < 0)
		first_fd = peer;
	MUST(peer == first_fd);
	return peer;
}

static void
send_all(int peer, struct fuzz_input in, size_t piece)
{
	if (piece < in.len / PIECES_MAX + 1)
		piece = in.len / PIECES_MAX + 1;
	while (in.len > 0) {
		size_t n = in.len < piece ? in.len : piece;

		MUST(send(peer, in.p, n, MSG_DONTWAIT) == (ssize_t)n);
		in.p += n;
		in.len -= n;
	}
	MUST(shutdown(peer, SHUT_WR) == 0);
}

/* What came back: records, of which one ends the request. */
static void
check_reply(int peer, int id, int status)
{
	static char all[1 << 16];
	char want[32], *text;
	size_t len = 0;
	ssize_t n;
	bool ended;

	/* That something was left unread is told first, once. */
	while ((n = recv(peer, all + len, sizeof(all) - len,
	    MSG_DONTWAIT)) > 0 || (n < 0 && errno == ECONNRESET))
		len += n > 0 ? (size_t)n : 0;
	snprintf(want, sizeof(want), "Status: %d ", status);
	text = fuzz_fcgi_output((struct fuzz_input){ all, len }, id, &ended);
	MUST(ended && strncmp(text, want, strlen(want)) == 0);
	free(text);
}

static void
check_request(const struct request *req, enum outcome out,
    const struct fuzz_fcgi *seen)
{
	const char *method = fuzz_fcgi_param(seen, "REQUEST_METHOD");
	const char *signature = fuzz_fcgi_param(seen, "HTTP_STRIPE_SIGNATURE");

	MUST(out == fuzz_fcgi_outcome(seen, BODY_MAX));
	MUST(strcmp(req->method, method != NULL ? method : "") == 0);
	MUST((req->signature == NULL) == (signature == NULL));
	MUST(signature == NULL || strcmp(req->signature, signature) == 0);
	if (out != OUT_OK)
		return;
	MUST(req->body_len <= seen->body_len && req->body_len <= BODY_MAX);
	MUST(memcmp(req->body, seen->body, req->body_len) == 0);
	MUST(req->body[req->body_len] == '\0');
}

/* In whichever pieces it comes, it is the same. */
static void
check_records(struct fuzz_input in, bool orderly)
{
	struct records all = { .state = RECORDS_BEGIN }, each = all;
	const uint8_t *bytes = (const uint8_t *)in.p;
	enum records_state state = records_eat(&all, bytes, in.len);

	for (size_t i = 0; i < in.len; i++)
		(void)records_eat(&each, bytes + i, 1);
	MUST(state == each.state);
	MUST((state == RECORDS_WHOLE) == orderly);
	MUST((state == RECORDS_BAD) == (all.why != NULL));
	MUST(all.seen <= in.len);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct err err = ERR_INIT;

	(void)argc;
	(void)argv;
	signal(SIGPIPE, SIG_IGN);
	MUST(log_setup(LOG_EMERG, LOG_FORMAT_TEXT, NULL, &err) == 0);
	listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	MUST(listening >= 0);
	MUST(bind(listening, (const struct sockaddr *)&addr,
	    sizeof(addr.sun_family)) == 0);
	MUST(listen(listening, 1) == 0);
	MUST(request_library_init(BODY_MAX) == 0);
	MUST(request_init(&fcgi, listening) == 0);
	return 0;
}

/* One connection's life, as a worker has it. */
static void
serve(struct fuzz_input in, size_t piece, const struct fuzz_fcgi *seen)
{
	struct request req;
	struct obstack mem;
	enum outcome out;
	int peer = connect_to(listening), rc;

	send_all(peer, in, piece);
	obstack_init(&mem);
	/* It is taken, and waits for the rest, or is let go of. */
	while ((rc = request_accept(&fcgi)) == -EAGAIN && gate_waits())
		;
	MUST((rc == 0) == seen->orderly);
	if (rc == 0) {
		out = request_read(&req, &fcgi, &mem, BODY_MAX);
		MUST(out == OUT_OK || out == OUT_TOO_LARGE ||
		    out == OUT_BAD_REQUEST);
		check_request(&req, out, seen);
		MUST(reply_outcome(&fcgi, out, "POST") == 0);
		check_reply(peer, seen->id, outcome_table[out].http);
	}
	close(peer);
	obstack_free(&mem, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input(data, size);
	size_t piece = (size_t)fuzz_byte(&in) + 1;
	struct fuzz_fcgi *seen = fuzz_fcgi_read(in);

	check_records(in, seen->orderly);
	serve(in, piece, seen);
	fuzz_fcgi_free(seen);
	return 0;
}
