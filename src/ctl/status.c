/* stripehookctl status ID: the state that the status route would give. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "store/db.h"
#include "store/lookup.h"

static int
show(const struct config *cfg, const char *id, enum object_kind kind)
{
	struct err err = ERR_INIT;
	MYSQL *mysql = db_connect(cfg, DB_ROLE_STATUS, cfg->db_name, 0, &err);
	enum outcome out;
	/* Who may run this may see it. */
	const struct credential all = { .is_token = true };
	struct lookup l = { .kind = kind, .id = id, .credential = &all };

	if (mysql == NULL) {
		fputs(err.text, stderr);
		return CTL_UNREACHABLE;
	}
	out = lookup_all(mysql, &l, 1);
	mysql_close(mysql);
	if (out != OUT_OK)
		return CTL_UNREACHABLE;
	puts(l.json);
	lookup_free(&l, 1);
	return l.out == OUT_OK ? CTL_DONE : CTL_NO;
}

int
ctl_status(int argc, char **argv)
{
	enum object_kind kind;
	struct config cfg;
	int rc;

	if (argc != 2)
		return ctl_usage();
	if (!state_kind(argv[1], strlen(argv[1]), &kind)) {
		fprintf(stderr, "stripehookctl: %s: not an id of the form "
		    "pi_..., seti_..., sub_..., in_... or cs_...\n", argv[1]);
		return CTL_USAGE;
	}
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	rc = show(&cfg, argv[1], kind);
	config_free(&cfg);
	return rc;
}
