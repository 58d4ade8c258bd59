/* Prints JSON and text. */
#include "ctl/ctl_out.h"

#include <json-c/json.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void
out_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
	    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void
out_text(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key,
	    s != NULL ? json_object_new_string(s) : NULL);
}

void
out_int(struct json_object *o, const char *key, long long i)
{
	json_object_object_add(o, key, json_object_new_int64(i));
}

/* Bytes of the character; of what isn't UTF-8, one. */
static size_t
char_len(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

	for (size_t i = 1; i < len; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 1;
	return len;
}

size_t
out_safe(FILE *out, const char *text, size_t max)
{
	size_t n = 0, len;

	for (; *text != '\0' && (max == 0 || n < max); text += len, n++) {
		unsigned char c = (unsigned char)*text;

		len = char_len(text);
		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ||
		    (c == 0xc2 && len == 2 && (unsigned char)text[1] < 0xa0))
			putc('?', out);
		else
			fwrite(text, 1, len, out);
	}
	return n;
}

size_t
out_columns(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) == 0 ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}

void
out_actor(char actor[ACTOR_MAX])
{
	const struct passwd *pw = getpwuid(getuid());
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	char host[65] = "", user[32];

	gethostname(host, sizeof(host) - 1);
	snprintf(user, sizeof(user), "%u", (unsigned)getuid());
	snprintf(actor, ACTOR_MAX, "%.60s@%.64s%s%.60s",
	    pw != NULL ? pw->pw_name : user, host,
	    sudo != NULL ? " for " : "", sudo != NULL ? sudo : "");
	for (char *p = actor; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
}
