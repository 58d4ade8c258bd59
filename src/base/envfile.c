/* Reads KEY=value files; nothing of them stays in memory once closed. */
#include "base/envfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

enum { FILE_BYTES_MAX = 1 << 20 };

static const char blanks[] = " \t\v\f";

/*
 * The whole file, NUL-terminated; or NULL with errno set. One buffer of the
 * greatest size, so that growing leaves no copies behind; what isn't touched
 * of it costs nothing.
 */
static char *
slurp(const char *path, size_t *len, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = NULL;
	ssize_t n = -1;
	int saved;

	*len = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, st) == 0) {
		text = mem_calloc(FILE_BYTES_MAX + 1, 1);
		while ((n = read(fd, text + *len,
		    FILE_BYTES_MAX + 1 - *len)) > 0)
			*len += (size_t)n;
	}
	saved = *len > FILE_BYTES_MAX ? EFBIG : errno;
	close(fd);
	if (n == 0 && *len <= FILE_BYTES_MAX)
		return text;
	if (text != NULL)
		explicit_bzero(text, *len);
	free(text);
	errno = saved;
	return NULL;
}

int
envfile_open(struct envfile *file, const char *path,
    bool (*ours)(const char *key, size_t len), struct err *err)
{
	struct stat st;

	*file = (struct envfile){ .ours = ours };
	file->text = slurp(path, &file->len, &st);
	if (file->text == NULL) {
		err_add(err, "%s: cannot read: %s", path, strerror(errno));
		return -1;
	}
	file->everybody = (st.st_mode & S_IROTH) != 0;
	file->next = file->text;
	if (strncmp(file->text, "\357\273\277", 3) == 0)
		file->next += 3;
	return 0;
}

void
envfile_close(struct envfile *file)
{
	if (file->text != NULL)
		explicit_bzero(file->text, file->len);
	free(file->text);
	*file = (struct envfile){ .text = NULL };
}

/* Cuts the next line out of the text; false if a NUL byte is in it. */
static bool
take_line(struct envfile *file, char **start)
{
	char *end;

	*start = file->next;
	end = memchr(*start, '\n', file->len - (size_t)(*start - file->text));
	file->line++;
	if (end == NULL)
		end = file->text + file->len;
	file->next = *end == '\n' ? end + 1 : end;
	if (end > *start && end[-1] == '\r')
		end--;
	*end = '\0';
	return strlen(*start) == (size_t)(end - *start);
}

/*
 * Another program's value may go on over lines, up to its quote; if a line of
 * ours comes before that, the quote was forgotten and no line is skipped.
 */
static void
skip_lines(struct envfile *file, char quote)
{
	char *p = file->next;
	unsigned lines = 0;

	while (*p != '\0') {
		size_t key = strcspn(p, "= \t\r\n");
		size_t len = strcspn(p, "\n");
		bool last = memchr(p, quote, len) != NULL;

		if (file->ours(p, key))
			return;
		p += len + (p[len] == '\n');
		lines++;
		if (last) {
			file->next = p;
			file->line += lines;
			return;
		}
	}
}

/* The value within quotes; only blanks or a comment may follow them. */
static void
quoted(struct envline *line, char *value)
{
	char *end = strchr(value + 1, *value);

	if (end == NULL) {
		line->fault = "the quote before the value has no match";
		return;
	}
	*end++ = '\0';
	if (end[strspn(end, blanks)] != '\0' &&
	    (strchr(blanks, *end) == NULL || end[strspn(end, blanks)] != '#'))
		line->fault = "there is text after the closing quote";
	else
		line->value = value + 1;
}

/* A value without quotes: ends before " #", or where the line ends. */
static void
unquoted(struct envline *line, char *value)
{
	char *end = value + strlen(value);

	for (char *p = value; *p != '\0'; p++) {
		if (p[0] == '#' && strchr(blanks, p[-1]) != NULL) {
			end = p;
			break;
		}
	}
	while (end > value && strchr(blanks, end[-1]) != NULL)
		end--;
	*end = '\0';
	line->value = value;
}

static void
split(struct envfile *file, struct envline *line, char *text)
{
	char *equals = strchr(text, '=');
	char *value;

	*line = (struct envline){ .line = file->line, .value = "" };
	line->key = text;
	line->key_len = strcspn(text, "= \t");
	if (equals == NULL || line->key_len == 0 ||
	    text + line->key_len + strspn(text + line->key_len, blanks) !=
	    equals) {
		line->fault = "a line must be KEY=value or a comment";
		line->key_len = 0;
		return;
	}
	value = equals + 1 + strspn(equals + 1, blanks);
	if (*value != '"' && *value != '\'') {
		unquoted(line, value);
		return;
	}
	if (!file->ours(line->key, line->key_len) &&
	    strchr(value + 1, *value) == NULL)
		skip_lines(file, *value);
	quoted(line, value);
}

bool
envfile_next(struct envfile *file, struct envline *line)
{
	char *text;

	while (file->next < file->text + file->len) {
		if (!take_line(file, &text)) {
			*line = (struct envline){ .line = file->line,
			    .value = "", .fault = "there is a NUL byte in it" };
			return true;
		}
		text += strspn(text, blanks);
		if (*text == '#' || *text == '\0')
			continue;
		if (strncmp(text, "export", 6) == 0 && text[6] != '\0' &&
		    strchr(blanks, text[6]) != NULL)
			text += 6 + strspn(text + 6, blanks);
		split(file, line, text);
		return true;
	}
	return false;
}

char *
envfile_value(const char *path, const char **fault)
{
	struct stat st;
	size_t len, end;
	char *text = slurp(path, &len, &st);

	if (text == NULL) {
		*fault = strerror(errno);
		return NULL;
	}
	end = len;
	if (end > 0 && text[end - 1] == '\n')
		end -= end > 1 && text[end - 2] == '\r' ? 2 : 1;
	if (end > 0 && memchr(text, '\0', end) == NULL) {
		text[end] = '\0';
		return text;
	}
	*fault = end == 0 ? "it is empty" : "there is a NUL byte in it";
	explicit_bzero(text, len);
	free(text);
	return NULL;
}
