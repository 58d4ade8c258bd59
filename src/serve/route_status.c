/* GET /api/webhooks/status/{id}: who may ask, and the answer. */
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "http/reply.h"
#include "serve/routes.h"
#include "store/lookup.h"
#include "stripe/token.h"

enum { SECRET_MAX = 512, POLL_PENDING = 2, POLL_LATER = 5 };

/* What the browser presents, checked as far as the database isn't needed. */
struct credential {
	bool is_token;			/* and valid for the id */
	char owner[256];		/* of a client_secret: its object */
	unsigned char sha256[SHA256_BYTES];
};

static const char *
bearer(const struct request *req)
{
	const char *s = req->authorization;

	if (s == NULL || strncasecmp(s, "Bearer ", 7) != 0)
		return NULL;
	s += 7;
	while (*s == ' ')
		s++;
	return *s != '\0' ? s : NULL;
}

/* A client_secret is its object's id, "_secret_", and letters and digits. */
static enum outcome
read_secret(struct credential *c, const char *secret, enum object_kind kind,
    const char *id)
{
	const char *mark = strstr(secret, "_secret_");
	size_t len = strlen(secret), owner_len;
	enum object_kind owner_kind, whole;

	if (mark == NULL || mark[8] == '\0' || len > SECRET_MAX)
		return OUT_BAD_CREDENTIAL;
	owner_len = (size_t)(mark - secret);
	if (!state_kind(secret, owner_len, &owner_kind) ||
	    !state_kinds[owner_kind].has_secret ||
	    (len <= 255 && !state_kind(secret, len, &whole)))
		return OUT_BAD_CREDENTIAL;
	snprintf(c->owner, sizeof(c->owner), "%.*s", (int)owner_len, secret);
	/* A payment's secret also opens the invoice that it pays. */
	if (state_kinds[kind].has_secret ? strcmp(c->owner, id) != 0 :
	    owner_kind != KIND_PAYMENT_INTENT)
		return OUT_WRONG_ID;
	SHA256((const unsigned char *)secret, len, c->sha256);
	return OUT_OK;
}

static enum outcome
read_credential(struct credential *c, const struct request *req,
    const struct config *cfg, enum object_kind kind, const char *id)
{
	const char *text = bearer(req);
	enum outcome out;

	memset(c, 0, sizeof(*c));
	if (text == NULL)
		return OUT_NO_CREDENTIAL;
	out = token_check(text, id, clock_wall_us() / 1000000,
	    &cfg->status_keys);
	if (out == OUT_BAD_CREDENTIAL)
		return read_secret(c, text, kind, id);
	c->is_token = out == OUT_OK;
	return out;
}

/* Unknown and forbidden look the same: as if nothing were known yet. */
static void
judge(struct lookup *l, const struct credential *c)
{
	static const unsigned char none[SHA256_BYTES];
	bool match = CRYPTO_memcmp(c->sha256,
	    l->has_secret ? l->secret_sha256 : none, SHA256_BYTES) == 0;

	if (!c->is_token && !(l->has_secret && match))
		memset(l, 0, sizeof(*l));
}

static void
send_state(FCGX_Request *r, const struct request *req, const char *body,
    bool final)
{
	unsigned char hash[SHA256_BYTES];
	char headers[256], etag[40];
	struct reply reply = { .status = 200, .type = "application/json",
	    .headers = headers, .body = body, .body_len = strlen(body) };
	int n;

	SHA256((const unsigned char *)body, reply.body_len, hash);
	snprintf(etag, sizeof(etag), "\"%02x%02x%02x%02x%02x%02x%02x%02x\"",
	    hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6],
	    hash[7]);
	n = snprintf(headers, sizeof(headers), "ETag: %s\r\n"
	    "Cache-Control: no-store\r\n", etag);
	if (!final)
		snprintf(headers + n, sizeof(headers) - (size_t)n,
		    "Retry-After: %d\r\n", POLL_PENDING);
	if (req->if_none_match != NULL &&
	    strstr(req->if_none_match, etag) != NULL) {
		reply.status = 304;
		reply.body_len = 0;
	}
	if (reply_send(r, &reply) != 0)
		metrics_add(METRIC_REPLIES_LOST, 1);
}

static enum outcome
find(struct lookup *l, struct route_db *db, enum object_kind kind,
    const char *id, const struct credential *c)
{
	enum outcome out = OUT_DB_DOWN;

	/* A connection that idled too long is found dead here: once more. */
	for (int tries = 0; tries < 2 && out == OUT_DB_DOWN; tries++) {
		MYSQL *mysql = routes_database(db);

		if (mysql == NULL)
			return OUT_DB_DOWN;
		out = lookup_object(l, mysql, kind, id, c->owner);
		if (out != OUT_OK)
			routes_database_drop(db);
	}
	return out;
}

enum outcome
routes_status(FCGX_Request *r, const struct request *req, struct route_db *db)
{
	const char *id = req->path + strlen("/api/webhooks/status/");
	struct credential c;
	struct lookup l;
	enum object_kind kind;
	enum outcome out = OUT_BAD_ID;
	bool final;
	char *body;

	if (state_kind(id, strlen(id), &kind) &&
	    (out = read_credential(&c, req, db->cfg, kind, id)) == OUT_OK)
		out = find(&l, db, kind, id, &c);
	if (out != OUT_OK) {
		(void)reply_outcome(r, out, "");
		return out;
	}
	judge(&l, &c);
	body = lookup_json(&l, kind, id, &final);
	send_state(r, req, body, final);
	free(body);
	return OUT_OK;
}
