/* stripehookctl check: each thing 'ok', or what is wrong and what to do. */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/metrics.h"
#include "ctl/check_int.h"
#include "ctl/ctl.h"
#include "ctl/origins.h"
#include "store/check.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/server.h"
#include "stripe/signature.h"

static void
check_accounts(const struct config *cfg, struct err *err, struct err *info)
{
	static const enum db_role roles[] = { DB_ROLE_INGEST, DB_ROLE_STATUS };

	(void)info;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		MYSQL *mysql = db_connect(cfg, roles[i], cfg->db_name, 0, err);

		if (mysql == NULL)
			err_add(err, "is the server running, and did "
			    "'stripehookctl migrate' make the account?");
		else
			mysql_close(mysql);
	}
}

static void
check_schema(const struct config *cfg, struct err *err, struct err *info)
{
	MYSQL *mysql = db_connect(cfg, DB_ROLE_INGEST, cfg->db_name, 0, err);

	if (mysql == NULL)
		return;
	if (schema_check(mysql, err, info) != 0)
		err_add(err, "run 'stripehookctl migrate'");
	mysql_close(mysql);
}

static void
check_statements(const struct config *cfg, struct err *err, struct err *info)
{
	(void)info;
	if (check_database(cfg, err) != 0)
		err_add(err, "if a right or a table is missing, run "
		    "'stripehookctl migrate'");
}

static void
check_server(const struct config *cfg, struct err *err)
{
	MYSQL *mysql = db_connect(cfg, DB_ROLE_INGEST, cfg->db_name, 0, err);
	struct server_facts facts;

	if (mysql == NULL)
		return;
	if (server_facts_read(&facts, mysql, err) == 0)
		server_facts_notes(&facts, cfg, err);
	mysql_close(mysql);
}

/* Each of several by itself: what is true of one needn't be of the others. */
static void
check_durability(const struct config *cfg, struct err *err, struct err *info)
{
	struct config one = *cfg;

	(void)info;
	if (cfg->db_host.n == 0)
		check_server(cfg, err);
	for (size_t i = 0; i < cfg->db_host.n; i++) {
		one.db_host = (struct strings){ &cfg->db_host.s[i], 1 };
		check_server(&one, err);
	}
}

static void
check_clock(const struct config *cfg, struct err *err, struct err *info)
{
	MYSQL *mysql = db_connect(cfg, DB_ROLE_INGEST, cfg->db_name, 0, err);
	MYSQL_RES *res;
	MYSQL_ROW row;
	int64_t skew;

	(void)info;
	if (mysql == NULL)
		return;
	if (mysql_query(mysql, "SELECT UNIX_TIMESTAMP()") == 0 &&
	    (res = mysql_store_result(mysql)) != NULL) {
		row = mysql_fetch_row(res);
		skew = clock_wall_us() / 1000000 -
		    strtoll(row != NULL ? row[0] : "0", NULL, 10);
		if (llabs(skew) > CHECK_SKEW_MAX)
			err_add(err, "this host's clock is %" PRId64 " s off "
			    "the database's: set both by NTP; a delivery is "
			    "refused when it is %ld s off Stripe's", skew,
			    cfg->tolerance);
		mysql_free_result(res);
	}
	mysql_close(mysql);
}

static void
check_socket(const char *path, const char *group, struct err *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct stat st;
	struct group *gr;
	int fd;

	if (stat(path, &st) != 0) {
		err_add(err, "%s: %s: is stripehookd running?", path,
		    strerror(errno));
		return;
	}
	if (!S_ISSOCK(st.st_mode) || (st.st_mode & 0777) != 0660)
		err_add(err, "%s: mode %04o, expected a socket with 0660",
		    path, (unsigned)st.st_mode & 07777);
	if (group != NULL && ((gr = getgrnam(group)) == NULL ||
	    gr->gr_gid != st.st_gid))
		err_add(err, "%s: its group is not STRIPEHOOK_SOCKET_GROUP "
		    "(%s), so nginx can't connect: restart stripehookd", path,
		    group);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0)
		err_add(err, "%s: connect: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void
check_sockets(const struct config *cfg, struct err *err, struct err *info)
{
	(void)info;
	check_socket(cfg->ingest_socket, cfg->socket_group, err);
	check_socket(cfg->status_socket, cfg->socket_group, err);
}

/* When a rotation is over: the old secret no longer matches. */
static void
tell_secrets(const struct config *cfg, struct err *info)
{
	struct err err = ERR_INIT;
	bool running = metrics_open(cfg->scoreboard, &err) == 0;

	for (size_t i = 0; running && i < cfg->webhook_secrets.n; i++) {
		time_t last = metrics_secret_last(signature_digest(
		    &cfg->webhook_secrets.list[i]));
		char when[32] = "never";
		struct tm tm;

		if (last != 0)
			strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ",
			    gmtime_r(&last, &tm));
		err_add(info, "signing secret %zu: last matched %s", i + 1,
		    when);
	}
}

static void
check_secrets(const struct config *cfg, struct err *err, struct err *info)
{
	if (cfg->webhook_secrets.n == 0)
		err_add(err, "STRIPE_WEBHOOK_SECRET is not set: copy it from "
		    "the endpoint's page in Stripe's dashboard");
	if (cfg->db_password == NULL)
		err_add(err, "STRIPEHOOK_DB_PASSWORD is not set");
	if (cfg->status_db_password == NULL)
		err_add(err, "STRIPEHOOK_STATUS_DB_PASSWORD is not set");
	tell_secrets(cfg, info);
}

static const struct {
	const char *name;
	/* Adds to err what is wrong (nothing: it is ok), to info the rest. */
	void (*run)(const struct config *cfg, struct err *err,
	    struct err *info);
} checks[] = {
	{ "settings", check_secrets },
	{ "accounts", check_accounts },
	{ "schema", check_schema },
	{ "rights and statements", check_statements },
	{ "durability", check_durability },
	{ "clock", check_clock },
	{ "sockets", check_sockets },
	{ "sandbox", check_sandbox },
	{ "nginx's origins", origins_check },
	{ "Stripe", check_stripe },
};

static void
print_lines(const struct err *err)
{
	const char *line = err->text;

	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		printf("    %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

int
ctl_check(int argc, char **argv)
{
	struct config cfg;
	unsigned wrong = 0;

	(void)argv;
	if (argc != 1)
		return ctl_usage();
	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct err err = ERR_INIT, info = ERR_INIT;

		checks[i].run(&cfg, &err, &info);
		printf("%-24s%s\n", checks[i].name,
		    err.count == 0 ? "ok" : "wrong");
		print_lines(&err);
		print_lines(&info);
		wrong += err.count > 0;
	}
	config_free(&cfg);
	return wrong == 0 ? CTL_DONE : CTL_NO;
}
