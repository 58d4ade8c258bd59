/*
 * Questions to the status route: whatever a browser asks, the answer is one
 * of HTTP, with our own headers alone, and of the contract's form; a stream's
 * has nothing but events in it.
 *
 * Input: a byte of options, then lines: the path behind the route's, query,
 * Authorization, Accept, If-None-Match, Last-Event-ID, Origin; "-" for a
 * header that isn't sent.
 */
#include "fuzz.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "fuzz_fcgi.h"
#include "serve/routes.h"
#include "serve/status_int.h"

enum { REQUEST_ID = 1, WAIT_MAX = 55, HEADERS = 5 };

#define ORIGIN "https://shop.example"

static char origin[] = ORIGIN, key[] = "0123456789abcdef0123456789abcdef";
static char *origins[] = { origin }, *keys[] = { key };
static struct config cfg = {
	.allowed_origins = { origins, 1 }, .status_keys = { keys, 1 },
	.status_slots = 2, .status_wait_max = WAIT_MAX,
};
static struct status status = { .cfg = &cfg };

static struct options {
	const char *method;
	bool final, pending, changes;
} options;

static void
read_options(unsigned char c)
{
	static const char *const methods[] = { "GET", "HEAD", "OPTIONS", "POST" };

	options.method = methods[c & 3];
	options.final = (c & 4) != 0;
	options.pending = (c & 8) != 0 && !options.final;
	options.changes = (c & 16) != 0;
}

/* The answer's lines, which it is taken apart into. */
static const char *
take_line(char **text, const char *end)
{
	char *line = *text, *at = strstr(line, end);

	MUST(at != NULL);
	*at = '\0';
	*text = at + strlen(end);
	return line;
}

static void
check_header(const char *line)
{
	static const char *const names[] = {
		"Access-Control-Allow-Headers: ",
		"Access-Control-Allow-Methods: ",
		("Access-Control-Allow-Origin: " ORIGIN),
		"Access-Control-Expose-Headers: ",
		"Access-Control-Max-Age: ", "Allow: ", "Cache-Control: ",
		"Content-Length: ", "Content-Type: ", "ETag: \"", "Retry-After: ",
		"Vary: Origin", "WWW-Authenticate: Bearer",
		"X-Accel-Buffering: no",
	};
	size_t i = 0;

	while (i < sizeof(names) / sizeof(names[0]) &&
	    strncmp(line, names[i], strlen(names[i])) != 0)
		i++;
	MUST(i < sizeof(names) / sizeof(names[0]));
	MUST(strchr(line, '\r') == NULL && strchr(line, '\n') == NULL);
}

static void
check_stream(char *body)
{
	static const char *const fields[] = { "retry: 1000", "id: ",
	    "data: {", ": " };

	while (*body != '\0') {
		const char *line = take_line(&body, "\n");
		size_t i = 0;

		if (*line == '\0')
			continue;
		while (i < 4 && strncmp(line, fields[i], strlen(fields[i])))
			i++;
		MUST(i < 4);
	}
}

static void
check_answer(char *text)
{
	long length = -1;
	int code = 0;
	bool stream = false;
	const char *line = take_line(&text, "\r\n");

	MUST(sscanf(line, "Status: %3d ", &code) == 1);
	MUST(code == 200 || code == 204 || code == 304 || code == 400 ||
	    code == 401 || code == 404 || code == 405 || code == 503);
	while (*(line = take_line(&text, "\r\n")) != '\0') {
		check_header(line);
		sscanf(line, "Content-Length: %ld", &length);
		stream |= strstr(line, "text/event-stream") != NULL;
	}
	MUST(length < 0 || (size_t)length == strlen(text));
	if (stream)
		check_stream(text);
	else
		MUST(*text == '\0' || (*text == '{' &&
		    text[strlen(text) - 1] == '}'));
	MUST((code != 204 && code != 304) || *text == '\0');
}

/* What the watcher would have brought. */
static void
look(struct parked *p, unsigned n)
{
	MUST(p->conn.fd >= 0 && p->id != NULL);
	MUST(p->beat_ms <= p->end_ms &&
	    p->end_ms <= clock_ms() + WAIT_MAX * 1000);
	MUST(strlen(p->seen) <= ETAG_LEN);
	free(p->json);
	MUST(asprintf(&p->json, "{\"id\":\"%s\",\"n\":%u}", p->id, n) > 0);
	snprintf(p->etag, sizeof(p->etag), "%016x", n);
	p->out = OUT_OK;
	p->final = options.final;
	p->pending = options.pending;
}

/* From the question to the end of the answer. */
static void
serve(const struct request *req, FCGX_Request *r)
{
	struct parked *p;
	int64_t now = clock_ms();

	status_ask(&status, r, req);
	for (unsigned n = 1; (p = TAILQ_FIRST(&status.table.all)) != NULL &&
	    n < 4; n++) {
		if (p->queued)
			TAILQ_REMOVE(&status.table.queue, p, queue);
		p->queued = false;
		look(p, options.changes ? n : 1);
		/* The third time the wait is over. */
		status_tell(&status, p, n < 3 ? now : p->end_ms + 1);
	}
	MUST(p == NULL && status.table.n == 0 && status.table.waiting == 0);
	MUST(TAILQ_EMPTY(&status.table.queue));
}

static void
ask(const struct request *req)
{
	static char all[1 << 16];
	FCGX_Request r = { .requestId = REQUEST_ID };
	int fds[2];
	ssize_t n;
	size_t len = 0;
	bool ended;
	char *text;

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	r.ipcFd = fds[0];
	serve(req, &r);
	while ((n = recv(fds[1], all + len, sizeof(all) - len,
	    MSG_DONTWAIT)) > 0)
		len += (size_t)n;
	MUST(n == 0);
	close(fds[1]);
	text = fuzz_fcgi_output((struct fuzz_input){ all, len }, REQUEST_ID,
	    &ended);
	MUST(ended);
	check_answer(text);
	free(text);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err err = ERR_INIT;

	(void)argc;
	(void)argv;
	MUST(log_setup(LOG_EMERG, LOG_FORMAT_TEXT, NULL, &err) == 0);
	parked_init(&status.table, 2);
	status.epoll = epoll_create1(EPOLL_CLOEXEC);
	MUST(status.epoll >= 0);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input(data, size);
	struct request req = { .accepted_us = clock_wall_us() };
	const char **headers[HEADERS] = { &req.authorization, &req.accept,
	    &req.if_none_match, &req.last_event_id, &req.origin };
	char *texts[HEADERS], *path, *query;
	struct fuzz_input line;

	read_options(fuzz_byte(&in));
	line = fuzz_until(&in, '\n');
	MUST(asprintf(&path, STATUS_PATH "%.*s", (int)line.len, line.p) > 0);
	query = fuzz_string(fuzz_until(&in, '\n'));
	for (size_t i = 0; i < HEADERS; i++) {
		texts[i] = fuzz_string(fuzz_until(&in, '\n'));
		if (strcmp(texts[i], "-") != 0)
			*headers[i] = texts[i];
	}
	req.method = options.method;
	req.path = path;
	req.query = query;
	ask(&req);
	for (size_t i = 0; i < HEADERS; i++)
		free(texts[i]);
	free(path);
	free(query);
	return 0;
}
