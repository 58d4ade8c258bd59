/*
 * Edits of JSON texts: no byte changes but those of the values that an edit
 * replaces, and what results is the tree that the same edit on the tree would
 * have made.
 *
 * Input: a JSON pointer or a member's name up to a newline, then the text.
 */
#include "fuzz.h"

#include <json-c/json.h>

#include "base/outcome.h"
#include "stripe/json.h"
#include "stripe/json_edit.h"
#include "stripe/redact.h"

enum { EDITS_MAX = 1000, NAME_LEN = 200 };

/* One kind of edit, on the text and on the tree. */
struct kind {
	char *(*text)(const char *text, size_t len, const char *const *names,
	    size_t *out_len, size_t *edits);
	/* What a value becomes, or the value itself; both are the caller's. */
	struct json_object *(*tree)(struct json_object *v, const char *name,
	    const char *pointer, const char *const *names);
};

static bool
is_redacted(struct json_object *v)
{
	return json_object_is_type(v, json_type_string) &&
	    strcmp(json_object_get_string(v), REDACTED) == 0 &&
	    json_object_get_string_len(v) == (int)strlen(REDACTED);
}

/* Blanking. */

static struct json_object *
blanked(struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_string:
		return json_object_new_string(REDACTED);
	case json_type_object:
		return json_object_new_object();
	case json_type_array:
		return json_object_new_array();
	case json_type_int:
	case json_type_double:
		return NULL;
	case json_type_null:
	case json_type_boolean:
		break;
	}
	return v;
}

static struct json_object *
tree_blank(struct json_object *v, const char *name, const char *pointer,
    const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(**names == '/' ? pointer : name, *names) == 0)
			return blanked(v);
	return v;
}

/* Masking and forgetting take no names. */

static char *
text_mask(const char *text, size_t len, const char *const *names,
    size_t *out_len, size_t *edits)
{
	(void)names;
	return redact_mask(text, len, out_len, edits);
}

static struct json_object *
tree_mask(struct json_object *v, const char *name, const char *pointer,
    const char *const *names)
{
	static const char sign[] = "_secret_", stars[] = "********";
	const char *s = "", *mark;
	size_t len = 0;
	struct json_object *new;
	char *masked;

	(void)pointer;
	(void)names;
	if (strcmp(name, "client_secret") != 0 || v == NULL || is_redacted(v))
		return v;
	if (json_object_is_type(v, json_type_string)) {
		s = json_object_get_string(v);
		len = (size_t)json_object_get_string_len(v);
	}
	mark = memmem(s, len, sign, strlen(sign));
	len = mark == NULL ? 0 : (size_t)(mark - s) + strlen(sign);
	masked = malloc(len + sizeof(stars));
	MUST(masked != NULL);
	memcpy(masked, s, len);
	memcpy(masked + len, stars, sizeof(stars));
	new = json_object_new_string_len(masked, (int)(len + strlen(stars)));
	free(masked);
	return new;
}

static char *
text_forget(const char *text, size_t len, const char *const *names,
    size_t *out_len, size_t *edits)
{
	(void)names;
	return redact_forget(text, len, out_len, edits);
}

static struct json_object *
tree_forget(struct json_object *v, const char *name, const char *pointer,
    const char *const *names)
{
	(void)name;
	(void)pointer;
	(void)names;
	return is_redacted(v) ? NULL : v;
}

/* The tree, edited from the root down. */

static struct json_object *edit_tree(struct json_object *v, const char *name,
    const char *pointer, const char *const *names, const struct kind *kind);

static char *
deeper(const char *pointer, const char *step)
{
	size_t len = strlen(pointer) + 2 * strlen(step) + 2;
	char *out = malloc(len), *p;

	MUST(out != NULL);
	p = stpcpy(stpcpy(out, pointer), "/");
	for (; *step != '\0'; step++)
		if (*step == '~' || *step == '/')
			p = stpcpy(p, *step == '~' ? "~0" : "~1");
		else
			*p++ = *step;
	*p = '\0';
	return out;
}

static struct json_object *
edit_child(struct json_object *v, const char *step, const char *name,
    const char *pointer, const char *const *names, const struct kind *kind)
{
	char *below = deeper(pointer, step);
	struct json_object *new = edit_tree(v, name, below, names, kind);

	free(below);
	return new == v ? json_object_get(v) : new;
}

static struct json_object *
edit_tree(struct json_object *v, const char *name, const char *pointer,
    const char *const *names, const struct kind *kind)
{
	struct json_object *new = kind->tree(v, name, pointer, names);
	char step[24];

	if (new != v)
		return new;
	if (json_object_is_type(v, json_type_object)) {
		new = json_object_new_object();
		json_object_object_foreach(v, key, value) {
			json_object_object_add(new, key, edit_child(value, key,
			    key, pointer, names, kind));
		}
	} else if (json_object_is_type(v, json_type_array)) {
		new = json_object_new_array();
		for (size_t i = 0; i < json_object_array_length(v); i++) {
			snprintf(step, sizeof(step), "%zu", i);
			json_object_array_add(new, edit_child(
			    json_object_array_get_idx(v, i), step, "", pointer,
			    names, kind));
		}
	}
	return new;
}

static void
check_kind(const struct kind *kind, struct fuzz_input text,
    struct json_object *root, const char *const *names)
{
	struct json_object *want, *have;
	size_t len, edits, again_len;
	char *out = kind->text(text.p, text.len, names, &len, &edits), *again;
	const char *why;

	MUST(out != NULL);
	MUST(edits > 0 || (len == text.len && memcmp(out, text.p, len) == 0));
	MUST(json_parse(&have, out, len, &why) == OUT_OK);
	want = edit_tree(root, "", "", names, kind);
	MUST(json_object_equal(want, have));
	if (want != root)
		json_object_put(want);
	json_object_put(have);
	/* Once more changes nothing. */
	again = kind->text(out, len, names, &again_len, &edits);
	MUST(again != NULL && again_len == len);
	MUST(memcmp(again, out, len) == 0);
	free(again);
	free(out);
}

/* The edits made, for the bytes between them to be compared. */
struct record {
	const char *name;
	const char *at[EDITS_MAX];
	size_t len[EDITS_MAX], n;
};

static bool
edit_recorded(FILE *out, const struct json_place *v, const void *arg)
{
	struct record *r = *(struct record *const *)arg;

	if (r->n == EDITS_MAX || strcmp(v->name, r->name) != 0)
		return false;
	r->at[r->n] = v->text;
	r->len[r->n++] = v->len;
	putc('0', out);
	return true;
}

/* Between the edits, and only there, the text is as it was. */
static void
check_bytes(struct fuzz_input text, const char *name)
{
	static struct record r;
	struct record *arg = &r;
	const char *from = text.p, *p;
	size_t len, edits;
	char *out;

	r.name = name;
	r.n = 0;
	out = json_edit(text.p, text.len, edit_recorded, &arg, &len, &edits);
	if (out == NULL)
		return;
	MUST(edits == r.n);
	p = out;
	for (size_t i = 0; i < r.n; i++) {
		size_t kept = (size_t)(r.at[i] - from);

		MUST(memcmp(p, from, kept) == 0 && p[kept] == '0');
		p += kept + 1;
		from = r.at[i] + r.len[i];
	}
	MUST(p + (text.p + text.len - from) == out + len);
	MUST(memcmp(p, from, (size_t)(text.p + text.len - from)) == 0);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct kind blank = { redact_text, tree_blank },
	    mask = { text_mask, tree_mask },
	    forget = { text_forget, tree_forget };
	struct fuzz_input in = fuzz_input(data, size);
	struct fuzz_input line = fuzz_until(&in, '\n');
	char *name = fuzz_string(line);
	const char *const names[] = { name, NULL };
	struct json_object *root;
	const char *why;

	check_bytes(in, name);
	if (strlen(name) == line.len && line.len > 0 && line.len < NAME_LEN &&
	    json_parse(&root, in.p, in.len, &why) == OUT_OK) {
		check_kind(&blank, in, root, names);
		check_kind(&blank, in, root, redact_defaults);
		/* Of values these look at the text, not at what it means. */
		if (memmem(in.p, in.len, "\\u", 2) == NULL) {
			check_kind(&mask, in, root, names);
			check_kind(&forget, in, root, names);
		}
		json_object_put(root);
	}
	free(name);
	return 0;
}
