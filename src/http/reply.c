/* Writes answers through libfcgi. */
#include "http/reply.h"

#include <stdio.h>
#include <string.h>

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" }, { 204, "No Content" }, { 304, "Not Modified" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" },
	{ 403, "Forbidden" }, { 404, "Not Found" },
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
reply_head(char head[REPLY_HEAD_MAX], const struct reply *reply, bool has_end)
{
	int n = snprintf(head, REPLY_HEAD_MAX, "Status: %d %s\r\n",
	    reply->status, reason(reply->status));

	if (reply->type != NULL)
		n += snprintf(head + n, REPLY_HEAD_MAX - (size_t)n,
		    "Content-Type: %s\r\n", reply->type);
	if (reply->type != NULL && has_end)
		n += snprintf(head + n, REPLY_HEAD_MAX - (size_t)n,
		    "Content-Length: %zu\r\n", reply->body_len);
	n += snprintf(head + n, REPLY_HEAD_MAX - (size_t)n, "%s\r\n",
	    reply->headers);
	return n < REPLY_HEAD_MAX ? n : -1;
}

int
reply_send(FCGX_Request *r, const struct reply *reply)
{
	char head[REPLY_HEAD_MAX];
	int n = reply_head(head, reply, true);
	int failed = n < 0 || FCGX_PutStr(head, n, r->out) != n ||
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
reply_body(char body[ERROR_BODY_MAX], enum outcome out)
{
	const struct outcome_info *info = &outcome_table[out];

	if (info->http == 200)
		return snprintf(body, ERROR_BODY_MAX, "{\"received\":true}");
	/* The table's texts need no escaping. */
	return snprintf(body, ERROR_BODY_MAX, "{\"error\":{\"code\":\"%s\","
	    "\"message\":\"%s\"}}", info->code, info->message);
}

struct reply
reply_for(enum outcome out, const char *allow, struct reply_text *text)
{
	const struct outcome_info *info = &outcome_table[out];

	text->headers[0] = '\0';
	if (info->http == 503)
		snprintf(text->headers, sizeof(text->headers),
		    "Retry-After: %d\r\n", RETRY_AFTER);
	else if (out == OUT_METHOD)
		snprintf(text->headers, sizeof(text->headers),
		    "Allow: %s\r\n", allow);
	return (struct reply){ .status = info->http,
	    .type = "application/json", .headers = text->headers,
	    .body = text->body,
	    .body_len = (size_t)reply_body(text->body, out) };
}

int
reply_outcome(FCGX_Request *r, enum outcome out, const char *allow)
{
	struct reply_text text;
	struct reply reply = reply_for(out, allow, &text);

	return reply_send(r, &reply);
}
