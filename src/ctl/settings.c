/* stripehookctl settings: the table of settings, in the forms it is wanted. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/config.h"
#include "ctl/ctl.h"
#include "ctl/origins.h"

static int
print_origins(void)
{
	struct config cfg;

	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	origins_print(stdout, &cfg);
	config_free(&cfg);
	return CTL_DONE;
}

int
ctl_settings(int argc, char **argv)
{
	static const struct option options[] = {
		{ "sample", no_argument, NULL, 's' },
		{ "man", no_argument, NULL, 'm' },
		{ "nginx-origins", no_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 }
	};
	void (*print)(FILE *out) = config_print_help;
	bool origins = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			print = config_print_sample;
		else if (c == 'm')
			print = config_print_man;
		else if (c == 'o')
			origins = true;
		else
			return ctl_usage();
	}
	if (optind < argc)
		return ctl_usage();
	if (origins)
		return print_origins();
	print(stdout);
	return CTL_DONE;
}
