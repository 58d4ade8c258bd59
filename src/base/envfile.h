/*
 * Files of KEY=value lines: comments with '#', "export " before a key, values
 * in single or double quotes (verbatim inside), LF or CRLF, with or without a
 * byte order mark.
 */
#ifndef BASE_ENVFILE_H
#define BASE_ENVFILE_H

#include <stdbool.h>
#include <stddef.h>

struct err;

struct envfile {
	char *text;		/* the whole file, NUL-terminated */
	size_t len;
	char *next;		/* the line to be read next */
	unsigned line;		/* its number, less one */
	bool everybody;		/* everybody may read it */
	/* Whether a key is ours: others' may have values of several lines. */
	bool (*ours)(const char *key, size_t len);
};

/* One line; the strings live as long as the file is open. */
struct envline {
	unsigned line;
	const char *key;	/* not NUL-terminated */
	size_t key_len;
	const char *value;	/* "" where there is a fault */
	const char *fault;	/* what is wrong with the line, or NULL */
};

/* Reads a file. Returns 0; or -1, the reason is in err. */
int envfile_open(struct envfile *file, const char *path,
    bool (*ours)(const char *key, size_t len), struct err *err)
    __attribute__((warn_unused_result));

/* The next line that says something; false at the end. */
bool envfile_next(struct envfile *file, struct envline *line);

/* Wipes and frees. */
void envfile_close(struct envfile *file);

/*
 * The text of the file that KEY_FILE names, less one newline at its end; to be
 * wiped and freed by the caller. Or NULL, and *fault says why.
 */
char *envfile_value(const char *path, const char **fault);

#endif
