/* Makes log lines, as text or JSON, of any bytes whatever. */
#include "base/log_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static const char *const level_names[] = {
	[LOG_EMERG] = "ERROR", [LOG_ALERT] = "ERROR", [LOG_CRIT] = "ERROR",
	[LOG_ERR] = "ERROR", [LOG_WARNING] = "WARNING",
	[LOG_NOTICE] = "NOTICE", [LOG_INFO] = "INFO", [LOG_DEBUG] = "DEBUG",
};

/*
 * Bytes of the character at s, 0 if it is no valid UTF-8 (RFC 3629: neither
 * overlong nor a surrogate nor past U+10FFFF).
 */
static size_t
utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 :
	    s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* A terminal would obey control characters, U+0080 to U+009F included. */
static bool
is_control(const unsigned char *s)
{
	return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

static void
sanitize(char *message)
{
	unsigned char *s = (unsigned char *)message;
	size_t n;

	for (; *s != '\0'; s += n) {
		n = utf8_length(s);
		if (n == 0)
			n = 1, *s = '?';
		else if (is_control(s))
			memset(s, '?', n);
	}
}

/* Escaped for a JSON string; out has room for twice the message. */
static size_t
escape(char *out, const char *message)
{
	size_t len = 0;

	for (; *message != '\0'; message++) {
		if (*message == '"' || *message == '\\')
			out[len++] = '\\';
		out[len++] = *message;
	}
	return len;
}

/*
 * Not by gmtime_r(3) and strftime(3): they take glibc's lock of the time zone,
 * which a child of fork(2) may find locked for ever. Years begin in March
 * here, so that a leap day is a year's last.
 */
void
log_text_time(char text[LOG_TIME_MAX], int64_t us)
{
	int seconds = (int)(us / 1000000 % 86400);
	int days = (int)(us / 1000000 / 86400) + 719468; /* since 0000-03-01 */
	int era = days / 146097, day = days % 146097;	/* of 400 years */
	int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int month;

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5 - 1;
	year += era * 400 + (month >= 10);
	month += month < 10 ? 3 : -9;
	snprintf(text, LOG_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    year, month, day, seconds / 3600, seconds / 60 % 60, seconds % 60,
	    (int)(us / 1000 % 1000));
}

size_t
log_text(char line[LOG_LINE_MAX], int format, int level,
    const struct log_author *by, char message[LOG_MESSAGE_MAX])
{
	static const char tail[] = "\"}\n";
	const char *name = level_names[level & LOG_PRIMASK];
	char when[LOG_TIME_MAX];
	size_t len;

	sanitize(message);
	log_text_time(when, clock_wall_us());
	if (format == LOG_FORMAT_TEXT)
		return (size_t)snprintf(line, LOG_LINE_MAX,
		    "%s %s %s %d %d %s\n", name, when, by->module, by->pid,
		    by->tid, message);
	len = (size_t)snprintf(line, LOG_LINE_MAX, "{\"level\":\"%s\","
	    "\"time\":\"%s\",\"module\":\"%s\",\"pid\":%d,\"thread\":%d,"
	    "\"message\":\"", name, when, by->module, by->pid, by->tid);
	len += escape(line + len, message);
	memcpy(line + len, tail, sizeof(tail) - 1);
	return len + sizeof(tail) - 1;
}
