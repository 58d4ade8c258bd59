/*
 * Edits payloads batch by batch. What is recorded comes before the edit: cut
 * short in between, a payload counts as redacted that isn't, and the next run
 * makes it so.
 */
#include "store/redaction.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/retention.h"
#include "stripe/redact.h"

enum {
	WRITE_BYTES = 1024 * 1024,	/* payloads in one statement */
	NAME_SIZE = 32			/* of a walk in tool_state */
};

/* An edited payload that waits to be written. */
struct edited {
	const struct old_payload *old;
	char *text;
	size_t len;
};

static char *
join(const char *const *names)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		abort();
	for (size_t i = 0; names[i] != NULL; i++)
		fprintf(out, "%s%s", i > 0 ? "," : "", names[i]);
	if (fclose(out) != 0)
		abort();
	return text;
}

/* Each set of names has a walk of its own. */
static void
name_walk(char name[NAME_SIZE], const char *paths)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (EVP_Digest(paths, strlen(paths), md, &n, EVP_sha256(), NULL) != 1)
		abort();
	snprintf(name, NAME_SIZE, "redact.%02x%02x%02x%02x%02x%02x%02x%02x",
	    md[0], md[1], md[2], md[3], md[4], md[5], md[6], md[7]);
}

static int
record(struct tooldb *db, const struct edited *list, size_t n,
    const char *paths, struct err *err)
{
	FILE *out = tooldb_sql(db);

	fputs("INSERT INTO redactions (stripe_event_id, paths, redacted_at) "
	    "VALUES", out);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s (", i > 0 ? "," : "");
		tooldb_text(db, list[i].old->id);
		fputs(", ", out);
		tooldb_text(db, paths);
		fputs(", UTC_TIMESTAMP(6))", out);
	}
	fputs(" ON DUPLICATE KEY UPDATE redacted_at = VALUES(redacted_at), "
	    "paths = IF(paths = VALUES(paths), paths, LEFT(CONCAT(paths, ',',"
	    " VALUES(paths)), 16000))", out);
	return tooldb_run(db, err);
}

/* The lock keeps the payloads there, so that all of them are updates. */
static int
write_payloads(struct tooldb *db, const struct edited *list, size_t n,
    struct err *err)
{
	FILE *out = tooldb_sql(db);

	fputs("INSERT INTO event_payloads (created_at, stripe_event_id, "
	    "payload) VALUES", out);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s ('1970-01-01' + INTERVAL %" PRId64
		    " MICROSECOND, ", i > 0 ? "," : "",
		    list[i].old->received_us);
		tooldb_text(db, list[i].old->id);
		fputs(", _binary ", out);
		tooldb_bytes(db, list[i].text, list[i].len);
		putc(')', out);
	}
	fputs(" ON DUPLICATE KEY UPDATE payload = VALUES(payload)", out);
	return tooldb_run(db, err);
}

static int
flush(struct redaction *r, struct edited *list, size_t n, const char *paths,
    struct err *err)
{
	int rc = 0;

	if (n > 0 && !r->dry_run &&
	    (rc = record(r->db, list, n, paths, err)) == 0)
		rc = write_payloads(r->db, list, n, err);
	for (size_t i = 0; i < n; i++)
		free(list[i].text);
	return rc;
}

/* Edits a payload; text is NULL if nothing is to be done to it. */
static int
edit(struct redaction *r, const struct old_payload *old, struct edited *e,
    struct err *err)
{
	size_t len, edits = 0;
	char *payload;

	*e = (struct edited){ .old = old };
	r->at_us = old->received_us;
	if (strcmp(old->status, "failed") == 0) {
		r->failed++;
		return 0;
	}
	if (retention_payload(r->db, old, &payload, &len, err) != 0)
		return -1;
	if (payload == NULL)
		return 0;
	e->text = redact_text(payload, len, r->names, &e->len, &edits);
	free(payload);
	if (e->text == NULL) {
		r->unclear++;
	} else if (edits == 0) {
		r->clean++;
		free(e->text);
		e->text = NULL;
	} else {
		r->redacted++;
		r->edits += edits;
	}
	return 0;
}

static int
do_batch(struct redaction *r, const struct retention *walk, const char *paths,
    struct err *err)
{
	struct edited *list = mem_calloc(walk->n, sizeof(*list));
	size_t n = 0, bytes = 0;
	int rc = 0;

	for (size_t i = 0; i < walk->n && rc == 0; i++) {
		rc = edit(r, &walk->list[i], &list[n], err);
		if (rc != 0 || list[n].text == NULL)
			continue;
		bytes += list[n++].len;
		if (bytes >= WRITE_BYTES) {
			rc = flush(r, list, n, paths, err);
			n = bytes = 0;
		}
	}
	if (rc == 0) {
		rc = flush(r, list, n, paths, err);
		n = 0;
	}
	for (size_t i = 0; i < n; i++)
		free(list[i].text);
	free(list);
	return rc;
}

int
redaction_run(struct redaction *r, struct err *err)
{
	char *paths = join(r->names), name[NAME_SIZE];
	struct retention walk = { .db = r->db, .name = name,
	    .before_us = r->before_us, .batch = r->batch,
	    .dry_run = r->dry_run, .anew = r->anew };
	int rc;

	name_walk(name, paths);
	rc = retention_begin(&walk, err);
	while (rc == 0 && (rc = retention_next(&walk, err)) == 0 &&
	    walk.n > 0) {
		if ((rc = do_batch(r, &walk, paths, err)) == 0)
			rc = retention_done(&walk, err);
		if (r->progress != NULL)
			r->progress(r);
	}
	retention_end(&walk);
	free(paths);
	return rc;
}
