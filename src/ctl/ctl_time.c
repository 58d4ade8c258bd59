/* Reads and writes moments. */
#include "ctl/ctl_time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static const int64_t second = 1000000;

/* DATETIME ends with the year 9999. */
static const int64_t seconds_max = 253402300799;

static const struct {
	char letter;
	int64_t seconds;
} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };

/* Digits alone, or digits and a unit. */
static int
parse_number(const char *text, int64_t now_us, int64_t *us)
{
	char *end;
	long long n;

	if (text[strspn(text, "0123456789")] == '\0') {
		errno = 0;
		n = strtoll(text, &end, 10);
		if (end == text || errno != 0 || n > seconds_max)
			return -1;
		*us = n * second;
		return 0;
	}
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end[0] == '\0' || end[1] != '\0' || n < 0)
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].letter == *end &&
		    n <= now_us / second / units[i].seconds) {
			*us = now_us - n * units[i].seconds * second;
			return 0;
		}
	return -1;
}

/* ".25Z" and the like: up to six digits of a second, and perhaps a Z. */
static int
parse_rest(const char *text, int64_t *us)
{
	int64_t unit = second / 10;

	*us = 0;
	if (*text == '.') {
		if (strspn(++text, "0123456789") == 0)
			return -1;
		for (; *text >= '0' && *text <= '9'; text++, unit /= 10)
			*us += (*text - '0') * unit;
	}
	return *text == '\0' || strcmp(text, "Z") == 0 ? 0 : -1;
}

static int
parse_date(const char *text, int64_t *us)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S",
	    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
	    "%Y-%m-%d" };
	int64_t rest;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = { .tm_sec = 0 }, same;
		const char *end = strptime(text, forms[i], &tm);
		time_t t;

		if (end == NULL || parse_rest(end, &rest) != 0)
			continue;
		same = tm;
		t = timegm(&same);
		/* 30 February would have become a day of March. */
		if (t < 0 || t > seconds_max || same.tm_mday != tm.tm_mday)
			return -1;
		*us = (int64_t)t * second + rest;
		return 0;
	}
	return -1;
}

int
time_parse(const char *text, int64_t now_us, int64_t *us)
{
	if (*text < '0' || *text > '9')
		return -1;
	return parse_number(text, now_us, us) == 0 ||
	    parse_date(text, us) == 0 ? 0 : -1;
}

int
time_option(const char *option, const char *text, int64_t *us)
{
	if (time_parse(text, clock_wall_us(), us) == 0)
		return 0;
	fprintf(stderr, "stripehookctl: %s: '%s' is not a time: write an age "
	    "(90s, 15m, 2h, 3d), a date or time (2026-03-01, "
	    "2026-03-01T12:30:00, UTC) or unix seconds\n", option, text);
	return -1;
}

static void
print(char out[TIME_TEXT], int64_t us, const char *form)
{
	time_t t = (time_t)(us / second);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, TIME_TEXT, form, &tm) == 0)
		snprintf(out, TIME_TEXT, "?");
}

void
time_print(char out[TIME_TEXT], int64_t us)
{
	print(out, us, "%Y-%m-%d %H:%M:%S");
}

void
time_print_iso(char out[TIME_TEXT], int64_t us)
{
	char whole[TIME_TEXT];

	print(whole, us, "%Y-%m-%dT%H:%M:%S");
	snprintf(out, TIME_TEXT, "%.19s.%06dZ", whole, (int)(us % second));
}
