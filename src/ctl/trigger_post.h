/* One HTTP request that delivers an event, by libcurl. */
#ifndef CTL_TRIGGER_POST_H
#define CTL_TRIGGER_POST_H

#include <curl/curl.h>
#include <stddef.h>

struct deliver_options;
struct sample_event;
struct signing_secret;
struct signing_secrets;
struct target;

enum { SIGNATURE_LINE_MAX = 160, ANSWER_MAX = 512 };

/* Must not move while it is used. */
struct post {
	CURL *easy;		/* the caller cleans it up */
	char signature[SIGNATURE_LINE_MAX];
	struct curl_slist headers;	/* the signature, then the others */
	char answer[ANSWER_MAX];	/* its beginning */
	size_t answer_len;
};

/* The first secret that may sign made-up events; or NULL, the fault printed. */
const struct signing_secret *post_secret(
    const struct signing_secrets *secrets);

/* Makes the handle; owner is its CURLINFO_PRIVATE. */
void post_init(struct post *post, const struct target *target, void *owner);

/* Signs the event and readies the handle to deliver it. */
void post_prepare(struct post *post, const struct sample_event *ev,
    const struct deliver_options *opt, struct curl_slist *headers);

/* The headers that all have, to be freed by curl_slist_free_all(). */
struct curl_slist *post_headers(void);

/* The header line that signs the event at the present time. */
void post_sign(char line[SIGNATURE_LINE_MAX], const struct sample_event *ev,
    const struct deliver_options *opt);

#endif
