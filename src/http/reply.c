/* Writes answers through libfcgi. */
#include "http/reply.h"

#include <stdio.h>
#include <string.h>

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" }, { 204, "No Content" }, { 304, "Not Modified" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 413, "Content Too Large" },
	{ 429, "Too Many Requests" }, { 503, "Service Unavailable" },
};

static const char *
reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

int
reply_send(FCGX_Request *r, const struct reply *reply)
{
	char head[512];
	int n = snprintf(head, sizeof(head), "Status: %d %s\r\n"
	    "Content-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
	    reply->status, reason(reply->status), reply->type,
	    reply->body_len, reply->headers);
	int failed;

	if (n < 0 || (size_t)n >= sizeof(head))
		return -1;
	failed = FCGX_PutStr(head, n, r->out) != n ||
	    FCGX_PutStr(reply->body, (int)reply->body_len, r->out) !=
	    (int)reply->body_len || FCGX_FFlush(r->out) != 0;
	/*
	 * Without this libfcgi shuts the socket down and waits for nginx to
	 * close its end; the input was read to its end, so closing at once
	 * loses nothing.
	 */
	FCGX_Detach(r);
	FCGX_Finish_r(r);
	return failed ? -1 : 0;
}

int
reply_outcome(FCGX_Request *r, enum outcome out, const char *allow)
{
	const struct outcome_info *info = &outcome_table[out];
	struct reply reply = { .status = info->http,
	    .type = "application/json", .headers = "" };
	char headers[128], body[640];
	int n;

	if (info->http == 200)
		n = snprintf(body, sizeof(body), "{\"received\":true}");
	else
		/* The table's texts need no escaping. */
		n = snprintf(body, sizeof(body), "{\"error\":{\"code\":\"%s\","
		    "\"message\":\"%s\"}}", info->code, info->message);
	if (info->http == 503) {
		snprintf(headers, sizeof(headers), "Retry-After: %d\r\n",
		    RETRY_AFTER);
		reply.headers = headers;
	} else if (out == OUT_METHOD) {
		snprintf(headers, sizeof(headers), "Allow: %s\r\n", allow);
		reply.headers = headers;
	}
	reply.body = body;
	reply.body_len = (size_t)n;
	return reply_send(r, &reply);
}
