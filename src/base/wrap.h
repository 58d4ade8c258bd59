/* Text in lines that fit a terminal. */
#ifndef BASE_WRAP_H
#define BASE_WRAP_H

#include <stdio.h>

enum { WRAP_WIDTH = 78 };

/* Prints the words of text, each line begun with indent. */
void wrap_print(FILE *out, const char *indent, const char *text);

#endif
