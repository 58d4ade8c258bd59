/* What is blanked and masked, and what instead. */
#include "stripe/redact.h"

#include <string.h>

#include "stripe/json_edit.h"

const char *const redact_defaults[] = {
	"email", "customer_email", "receipt_email", "name", "customer_name",
	"phone", "customer_phone", "address", "customer_address", "shipping",
	"customer_shipping", "billing_details", "customer_details",
	"client_secret", NULL
};

static bool
is_text(const struct json_place *v, const char *text)
{
	size_t len = strlen(text);

	return v->len == len + 2 && v->text[0] == '"' &&
	    memcmp(v->text + 1, text, len) == 0;
}

/* What a value is blanked to, or NULL if it is as good as blank. */
static const char *
blank(const struct json_place *v)
{
	switch (v->text[0]) {
	case '"':
		return is_text(v, REDACTED) ? NULL : "\"" REDACTED "\"";
	case '{':
		return v->len == 2 ? NULL : "{}";
	case '[':
		return v->len == 2 ? NULL : "[]";
	case 't':
	case 'f':
	case 'n':
		return NULL;
	default:
		return "null";
	}
}

static bool
edit_blank(FILE *out, const struct json_place *v, const void *arg)
{
	const char *instead;

	for (const char *const *n = arg; *n != NULL; n++) {
		if (strcmp(**n == '/' ? v->pointer : v->name, *n) != 0)
			continue;
		if ((instead = blank(v)) == NULL)
			return false;
		fputs(instead, out);
		return true;
	}
	return false;
}

/* pi_1_secret_abc becomes pi_1_secret_***; a form unknown to us, ***. */
static bool
edit_mask(FILE *out, const struct json_place *v, const void *arg)
{
	static const char mark[] = "_secret_";
	const char *at;

	(void)arg;
	if (strcmp(v->name, "client_secret") != 0 || v->text[0] == 'n' ||
	    is_text(v, REDACTED))
		return false;
	at = v->text[0] == '"' ?
	    memmem(v->text, v->len, mark, sizeof(mark) - 1) : NULL;
	putc('"', out);
	if (at != NULL)
		fwrite(v->text + 1, 1, (size_t)(at - v->text) - 1 +
		    sizeof(mark) - 1, out);
	fputs("********\"", out);
	return true;
}

static bool
edit_forget(FILE *out, const struct json_place *v, const void *arg)
{
	(void)arg;
	if (!is_text(v, REDACTED))
		return false;
	fputs("null", out);
	return true;
}

char *
redact_text(const char *text, size_t len, const char *const *names,
    size_t *out_len, size_t *edits)
{
	return json_edit(text, len, edit_blank, names, out_len, edits);
}

char *
redact_mask(const char *text, size_t len, size_t *out_len, size_t *edits)
{
	return json_edit(text, len, edit_mask, NULL, out_len, edits);
}

char *
redact_forget(const char *text, size_t len, size_t *out_len, size_t *edits)
{
	return json_edit(text, len, edit_forget, NULL, out_len, edits);
}
