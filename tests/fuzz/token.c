/*
 * What a browser presents to the status route: the id in the path and the
 * Authorization header. A token made must be valid for its id, its time and
 * its key alone; any other header must be judged as a second reading judges it.
 *
 * Input: lines: the id, the header. In the header '@' stands for the right HMAC
 * by the first key and '$' for that by the second one, over what stands before
 * the token's last dot; '*' for the time of now.
 */
#include "fuzz.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <regex.h>

#include "stripe/credential.h"
#include "stripe/token.h"

enum { NOW = 1700000000, KEYS = 2, HEX_LEN = 64, ID_MAX = 255,
	SECRET_MAX = 1024 };

static char key_texts[KEYS][40] = { "0123456789abcdef0123456789abcdef",
    "fedcba9876543210fedcba9876543210" };
static char *key_list[KEYS] = { key_texts[0], key_texts[1] };
static const struct strings keys = { key_list, KEYS };

/* HMAC of "sht1." ID "." and the expiry, which needn't be one. */
static void
hmac(char hex[HEX_LEN + 1], const char *key, const char *id,
    const char *expiry, size_t len)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned n;
	char *text;
	int size = asprintf(&text, "sht1.%s.%.*s", id, (int)len, expiry);

	MUST(size > 0);
	MUST(HMAC(EVP_sha256(), key, (int)strlen(key),
	    (const unsigned char *)text, (size_t)size, out, &n) != NULL);
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", out[i]);
	free(text);
}

static char *
expand(const char *text, const char *id)
{
	const char *token = strstr(text, "sht1.");
	const char *expiry = token != NULL ? token + 5 : text;
	char hex[HEX_LEN + 1], *out = NULL, *expanded;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	MUST(f != NULL);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '*')
			fprintf(f, "%d", NOW);
		else if (*p != '@' && *p != '$')
			putc(*p, f);
		else {
			MUST(fflush(f) == 0);
			expanded = p > expiry ? out + (expiry - text) : out;
			hmac(hex, key_list[*p == '$'], id, expanded,
			    strcspn(expanded, "."));
			fputs(hex, f);
		}
	}
	MUST(fclose(f) == 0);
	return out;
}

/* The second reading. */

static enum outcome
expected_token(const char *text, const char *id)
{
	char form[96], hex[HEX_LEN + 1];
	long long expiry;
	int end = -1;

	if (sscanf(text, "sht1.%18[0-9].%64[0-9a-f]%n", form, hex, &end) != 2 ||
	    end < 0 || text[end] != '\0' || strlen(hex) != HEX_LEN)
		return OUT_BAD_CREDENTIAL;
	expiry = strtoll(form, NULL, 10);
	if (form[0] == '0')
		return OUT_BAD_CREDENTIAL;
	for (size_t i = 0; i < KEYS; i++) {
		char want[HEX_LEN + 1];

		hmac(want, key_list[i], id, form, strlen(form));
		if (strcmp(want, hex) == 0)
			return expiry > NOW ? OUT_OK : OUT_EXPIRED_TOKEN;
	}
	return OUT_FORGED_TOKEN;
}

/* Made and checked: good until its time, for its id, by its key. */
static void
check_round(const char *id, int64_t expiry)
{
	struct strings second = { &key_list[1], 1 };
	char token[TOKEN_MAX], *other;

	if (token_make(token, id, expiry, key_list[0]) != 0) {
		MUST(expiry <= 0 || expiry > INT64_C(999999999999999999));
		return;
	}
	MUST(token_check(token, id, expiry - 1, &keys) == OUT_OK);
	MUST(token_check(token, id, expiry, &keys) == OUT_EXPIRED_TOKEN);
	MUST(token_check(token, id, 0, &second) == OUT_FORGED_TOKEN);
	MUST(asprintf(&other, "%sx", id) > 0);
	MUST(token_check(token, other, 0, &keys) == OUT_FORGED_TOKEN);
	free(other);
}

static void
check_id(const char *id, size_t len)
{
	enum object_kind kind;
	bool good = state_kind(id, len, &kind);
	struct state state;

	if (!good)
		return;
	MUST(len <= ID_MAX && strlen(id) == len);
	for (size_t i = 0; i < len; i++)
		MUST(isalnum((unsigned char)id[i]) || id[i] == '_');
	MUST(strncmp(id, state_kinds[kind].prefix,
	    strlen(state_kinds[kind].prefix)) == 0);
	state = state_of(kind, id, true);
	MUST(state.state == id && !state.final);
}

/* Whether the whole text fits the pattern. */
static bool
fits(const char *text, const char *pattern)
{
	regex_t re;
	bool fit;

	MUST(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) == 0);
	fit = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return fit;
}

static enum outcome
expected_secret(const char *text, enum object_kind kind, const char *id)
{
	const char *mark = strstr(text, "_secret_");
	char *owner;
	enum outcome out = OUT_BAD_CREDENTIAL;

	if (mark == NULL || strlen(text) > SECRET_MAX ||
	    !fits(mark, "^_secret_[A-Za-z0-9_.~%+/=-]+$"))
		return out;
	owner = strndup(text, (size_t)(mark - text));
	MUST(owner != NULL);
	if (strlen(owner) <= ID_MAX &&
	    fits(owner, "^(pi|seti|cs)_[A-Za-z0-9_]+$")) {
		out = OUT_WRONG_ID;
		if (strcmp(owner, id) == 0 ||
		    ((kind == KIND_INVOICE || kind == KIND_SUBSCRIPTION) &&
		    strncmp(owner, "pi_", 3) == 0))
			out = OUT_OK;
	}
	free(owner);
	return out;
}

static enum outcome
expected(const char *header, enum object_kind kind, const char *id)
{
	const char *text = header + strlen("Bearer");
	enum outcome out;

	if (!fits(header, "^[Bb][Ee][Aa][Rr][Ee][Rr] +[^ ]"))
		return OUT_NO_CREDENTIAL;
	text += strspn(text, " ");
	out = expected_token(text, id);
	return out == OUT_BAD_CREDENTIAL ? expected_secret(text, kind, id) :
	    out;
}

static void
check_credential(const char *header, const char *id, enum object_kind kind)
{
	static const unsigned char other[SHA256_DIGEST_LENGTH] = { 1 };
	struct credential c;
	enum outcome out = credential_read(&c, header, kind, id, NOW, &keys);
	bool secret = out == OUT_OK && !c.is_token;

	MUST(out == expected(header, kind, id));
	MUST(!c.is_token || out == OUT_OK);
	MUST(!secret || (c.owner[0] != '\0' && strstr(header, c.owner)));
	MUST(credential_opens(&c, NULL) == c.is_token);
	MUST(credential_opens(&c, other) == c.is_token);
	MUST(credential_opens(&c, c.sha256) || !secret);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input(data, size);
	struct fuzz_input line = fuzz_until(&in, '\n');
	char *id = fuzz_string(line), *text = fuzz_string(in);
	char *header = expand(text, id);
	enum object_kind kind;
	int64_t expiry = 0;

	check_id(id, line.len);
	if (strlen(id) == line.len && state_kind(id, line.len, &kind))
		check_credential(header, id, kind);
	memcpy(&expiry, text, in.len < 7 ? in.len : 7);
	check_round(id, expiry);
	free(header);
	free(text);
	free(id);
	return 0;
}
