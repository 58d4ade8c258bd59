/*
 * Edits of a JSON text in place: the members that are to be blanked, and no
 * other byte. So a payload keeps its form, its order and its numbers. Pure.
 */
#ifndef STRIPE_REDACT_H
#define STRIPE_REDACT_H

#include <stddef.h>

/* What a blanked string becomes. */
#define REDACTED "[redacted]"

/* What is blanked if nothing else is asked for; ends with NULL. */
extern const char *const redact_defaults[];

/*
 * These return the edited text, which the caller frees, its length in
 * *out_len and the number of edits in *edits (0: the text is as before); or
 * NULL if the text isn't JSON, or nested more than 64 deep.
 */

/*
 * Blanks members: of that name anywhere in the text, or at a JSON pointer if
 * it begins with '/'; names ends with NULL. A string becomes "[redacted]", an
 * object {}, an array [], a number null; true, false and null stay.
 */
char *redact_text(const char *text, size_t len, const char *const *names,
    size_t *out_len, size_t *edits) __attribute__((warn_unused_result));

/* Of each client_secret the part that opens something becomes asterisks. */
char *redact_mask(const char *text, size_t len, size_t *out_len,
    size_t *edits) __attribute__((warn_unused_result));

/*
 * Makes "[redacted]" null, so that what is read from the text again is
 * missing and not wrong.
 */
char *redact_forget(const char *text, size_t len, size_t *out_len,
    size_t *edits) __attribute__((warn_unused_result));

#endif
