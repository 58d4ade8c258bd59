/* Collects problems, one line each, in a caller's fixed buffer. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

void
err_add(struct err *err, const char *fmt, ...)
{
	size_t room = sizeof(err->text) - err->len;
	va_list ap;
	int n;

	err->count++;
	va_start(ap, fmt);
	n = vsnprintf(err->text + err->len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n + 2 > room) {
		err->text[err->len] = '\0';
		return;
	}
	err->len += (size_t)n;
	err->text[err->len++] = '\n';
	err->text[err->len] = '\0';
}

void
err_reset(struct err *err)
{
	err->count = 0;
	err->len = 0;
	err->text[0] = '\0';
}
