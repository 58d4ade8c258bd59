/* Reads the options that choose events. */
#include "ctl/ctl_filter.h"

#include <stdio.h>
#include <string.h>

#include "ctl/ctl_time.h"
#include "store/filter.h"

static int
take_status(struct filter *filter, const char *text)
{
	for (const char *const *s = filter_statuses; *s != NULL; s++)
		if (strcmp(*s, text) == 0) {
			filter->status = *s;
			return 0;
		}
	fprintf(stderr, "stripehookctl: --status: '%s' is none of processed, "
	    "ignored, failed, dismissed\n", text);
	return -1;
}

int
filter_option(struct filter *filter, int option, const char *text)
{
	switch (option) {
	case 's':
		return take_status(filter, text);
	case 't':
		filter->type = text;
		return 0;
	case 'S':
		return time_option("--since", text, &filter->since_us);
	default:
		return -1;
	}
}
