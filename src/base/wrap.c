/* Text in lines that fit a terminal. */
#include "base/wrap.h"

#include <string.h>

void
wrap_print(FILE *out, const char *indent, const char *text)
{
	size_t column = 0, len;

	for (; *text != '\0'; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		if (column > 0 && column + 1 + len > WRAP_WIDTH) {
			putc('\n', out);
			column = 0;
		}
		column += (size_t)fprintf(out, "%s%.*s",
		    column == 0 ? indent : " ", (int)len, text);
	}
	putc('\n', out);
}
