/* Who may do what in the database, as a table; and its SQL. */
#include "store/accounts.h"

#include <mysqld_error.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum account { INGEST, STATUS, APP, ADMIN, ACCOUNT__MAX };

#define OBJECT_TABLES \
	"user_subscriptions", "invoices", "payments", "plans", \
	"invoice_payments", "charges", "refunds", "disputes", \
	"checkout_sessions", "setup_intents", "customers", "products", \
	"customer_users", "links"

/* Objects are tables or views; an account's list ends with NULL. */
static const struct grant {
	enum account account;
	const char *rights;
	const char *objects[20];
} grants[] = {
	{ INGEST, "SELECT, INSERT, UPDATE", { OBJECT_TABLES, "event_journal",
	    "reconcile_marks", "tool_state", NULL } },
	{ INGEST, "SELECT, INSERT", { "event_payloads", NULL } },
	{ INGEST, "SELECT", { "schema_migrations", NULL } },
	{ STATUS, "SELECT", { "user_subscriptions", "invoices", "payments",
	    "plans", "invoice_payments", "checkout_sessions",
	    "setup_intents", "links", "schema_migrations", NULL } },
	{ STATUS, "SELECT (stripe_event_id, created)", { "event_journal",
	    NULL } },
	{ APP, "SELECT", { OBJECT_TABLES, NULL } },
	{ ADMIN, "SELECT", { "admin_user_subscriptions",
	    "admin_webhook_events", "admin_invoices", "admin_plans",
	    "admin_payments", "admin_failed_events", "admin_unlinked",
	    "admin_subscription_items", "admin_daily_revenue",
	    "admin_active_subscriptions", "admin_invoice_payments", NULL } },
};

struct login {
	const char *name, *password, *setting;
};

static struct login
login(const struct config *cfg, enum account account)
{
	const struct login logins[ACCOUNT__MAX] = {
		[INGEST] = { cfg->db_user, cfg->db_password,
		    "STRIPEHOOK_DB_PASSWORD" },
		[STATUS] = { cfg->status_db_user, cfg->status_db_password,
		    "STRIPEHOOK_STATUS_DB_PASSWORD" },
		[APP] = { "stripehook_app", cfg->app_db_password,
		    "STRIPEHOOK_APP_DB_PASSWORD" },
		[ADMIN] = { "stripehook_admin", cfg->admin_db_password,
		    "STRIPEHOOK_ADMIN_DB_PASSWORD" },
	};

	return logins[account];
}

void
accounts_print(const struct config *cfg, FILE *out)
{
	for (unsigned a = 0; a < ACCOUNT__MAX; a++) {
		struct login l = login(cfg, (enum account)a);

		fprintf(out, "CREATE USER IF NOT EXISTS '%s'@'%%' "
		    "IDENTIFIED BY '<%s>';\n", l.name, l.setting);
		for (size_t g = 0; g < sizeof(grants) / sizeof(grants[0]); g++)
			for (size_t i = 0; grants[g].account == a &&
			    grants[g].objects[i] != NULL; i++)
				fprintf(out, "GRANT %s ON `%s`.`%s` TO "
				    "'%s'@'%%';\n", grants[g].rights,
				    cfg->db_name, grants[g].objects[i],
				    l.name);
	}
}

/* Runs SQL that may hold a password, which an error must not show. */
static int
run(MYSQL *mysql, const char *sql, const char *what, struct err *err)
{
	if (mysql_query(mysql, sql) == 0)
		return 0;
	err_add(err, "account %s: %s (%u)", what, mysql_errno(mysql) ==
	    ER_PARSE_ERROR ? "the server can't read the statement" :
	    mysql_error(mysql), mysql_errno(mysql));
	return -1;
}

static int
make(MYSQL *mysql, const struct login *l, struct err *err)
{
	size_t len = strlen(l->password), name_len = strlen(l->name);
	char *password = mem_calloc(1, 2 * len + 1);
	char *name = mem_calloc(1, 2 * name_len + 1);
	size_t size = 2 * len + 2 * name_len + 128;
	char *sql = mem_calloc(1, size);
	int rc;

	mysql_real_escape_string(mysql, password, l->password,
	    (unsigned long)len);
	mysql_real_escape_string(mysql, name, l->name,
	    (unsigned long)name_len);
	snprintf(sql, size, "CREATE USER IF NOT EXISTS '%s'@'%%' "
	    "IDENTIFIED BY '%s'", name, password);
	if ((rc = run(mysql, sql, l->name, err)) == 0) {
		snprintf(sql, size, "ALTER USER '%s'@'%%' IDENTIFIED BY '%s'",
		    name, password);
		rc = run(mysql, sql, l->name, err);
	}
	explicit_bzero(sql, size);
	explicit_bzero(password, 2 * len + 1);
	free(sql);
	free(password);
	free(name);
	return rc;
}

/* The rights the account should have on an object, NULL if none. */
static const char *
wanted(enum account account, const char *object)
{
	for (size_t g = 0; g < sizeof(grants) / sizeof(grants[0]); g++)
		for (size_t i = 0; grants[g].account == account &&
		    grants[g].objects[i] != NULL; i++)
			if (strcmp(grants[g].objects[i], object) == 0)
				return grants[g].rights;
	return NULL;
}

/*
 * Takes back what is too much, grant by grant: taking all and giving again
 * would fail the deliveries in between.
 */
static int
take_surplus(MYSQL *mysql, const struct config *cfg, enum account account,
    struct err *err)
{
	struct login l = login(cfg, account);
	char sql[1024], revoke[1024];
	MYSQL_RES *res;
	MYSQL_ROW row;
	int rc = 0;

	snprintf(sql, sizeof(sql), "SELECT TABLE_NAME, PRIVILEGE_TYPE FROM "
	    "information_schema.TABLE_PRIVILEGES WHERE TABLE_SCHEMA = '%s' "
	    "AND GRANTEE = '''%s''@''%%'''", cfg->db_name, l.name);
	if (run(mysql, sql, l.name, err) != 0 ||
	    (res = mysql_store_result(mysql)) == NULL)
		return -1;
	while (rc == 0 && (row = mysql_fetch_row(res)) != NULL) {
		const char *rights = wanted(account, row[0]);

		if (rights != NULL && strchr(rights, '(') == NULL &&
		    strstr(rights, row[1]) != NULL)
			continue;
		snprintf(revoke, sizeof(revoke), "REVOKE %s ON `%s`.`%s` "
		    "FROM '%s'@'%%'", row[1], cfg->db_name, row[0], l.name);
		rc = run(mysql, revoke, l.name, err);
	}
	mysql_free_result(res);
	return rc;
}

static int
give(MYSQL *mysql, const struct config *cfg, enum account account,
    struct err *err)
{
	struct login l = login(cfg, account);
	char sql[1024];

	for (size_t g = 0; g < sizeof(grants) / sizeof(grants[0]); g++)
		for (size_t i = 0; grants[g].account == account &&
		    grants[g].objects[i] != NULL; i++) {
			snprintf(sql, sizeof(sql), "GRANT %s ON `%s`.`%s` TO "
			    "'%s'@'%%'", grants[g].rights, cfg->db_name,
			    grants[g].objects[i], l.name);
			if (run(mysql, sql, l.name, err) != 0)
				return -1;
		}
	return take_surplus(mysql, cfg, account, err);
}

int
accounts_apply(MYSQL *mysql, const struct config *cfg, FILE *out,
    struct err *err)
{
	for (unsigned a = 0; a < ACCOUNT__MAX; a++) {
		struct login l = login(cfg, (enum account)a);

		if (l.password == NULL) {
			fprintf(out, "account %s: left alone, %s is not "
			    "set\n", l.name, l.setting);
			continue;
		}
		if (make(mysql, &l, err) != 0 ||
		    give(mysql, cfg, (enum account)a, err) != 0)
			return -1;
		fprintf(out, "account %s: up to date\n", l.name);
	}
	return 0;
}
