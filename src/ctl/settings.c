/* stripehookctl settings: the table of settings, in the forms it is wanted. */
#include <getopt.h>
#include <stdio.h>

#include "base/config.h"
#include "ctl/ctl.h"

int
ctl_settings(int argc, char **argv)
{
	static const struct option options[] = {
		{ "sample", no_argument, NULL, 's' },
		{ "man", no_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 }
	};
	void (*print)(FILE *out) = config_print_help;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			print = config_print_sample;
		else if (c == 'm')
			print = config_print_man;
		else
			return ctl_usage();
	}
	if (optind < argc)
		return ctl_usage();
	print(stdout);
	return CTL_DONE;
}
