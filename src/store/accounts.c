/* Which accounts there are, and what each may do, as a table. */
#include "store/accounts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/account.h"
#include "store/db.h"
#include "store/rights.h"

enum role { INGEST, STATUS, APP, ADMIN, ROLE__MAX };

#define OBJECT_TABLES \
	"user_subscriptions", "invoices", "payments", "plans", \
	"invoice_payments", "charges", "refunds", "disputes", \
	"checkout_sessions", "setup_intents", "customers", "products", \
	"customer_users", "links"

/*
 * Objects are tables or views; a list of them ends with NULL. Nobody deletes,
 * and nobody but ingest reads payloads. app may read the hashes of client
 * secrets: rights on columns would make SELECT * fail, and what they hash
 * can't be guessed.
 */
static const struct grant {
	enum role role;
	const char *rights;
	const char *objects[20];
} grants[] = {
	{ INGEST, "SELECT, INSERT, UPDATE", { OBJECT_TABLES, "event_journal",
	    "reconcile_marks", "tool_state", NULL } },
	{ INGEST, "SELECT, INSERT", { "event_payloads", "event_attempts",
	    NULL } },
	{ INGEST, "SELECT", { "schema_migrations", "redactions", NULL } },
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

static struct account
account_of(const struct config *cfg, size_t role)
{
	const struct account accounts[ROLE__MAX] = {
		[INGEST] = { cfg->db_user, cfg->db_password,
		    "STRIPEHOOK_DB_PASSWORD" },
		[STATUS] = { cfg->status_db_user, cfg->status_db_password,
		    "STRIPEHOOK_STATUS_DB_PASSWORD" },
		[APP] = { "stripehook_app", cfg->app_db_password,
		    "STRIPEHOOK_APP_DB_PASSWORD" },
		[ADMIN] = { "stripehook_admin", cfg->admin_db_password,
		    "STRIPEHOOK_ADMIN_DB_PASSWORD" },
	};

	return accounts[role];
}

/* What the account needs, in all of its roles: they may share one. */
static struct rights
needs_of(const struct config *cfg, const char *user)
{
	struct rights need = { NULL, 0 };

	for (size_t g = 0; g < sizeof(grants) / sizeof(grants[0]); g++) {
		if (strcmp(account_of(cfg, grants[g].role).user, user) != 0)
			continue;
		for (size_t i = 0; grants[g].objects[i] != NULL; i++)
			rights_add(&need, grants[g].rights, cfg->db_name,
			    grants[g].objects[i]);
	}
	return need;
}

/* Whether there is nothing to do for it; says why. */
static bool
passed_over(const struct account *account, const struct config *cfg, FILE *out)
{
	if (strcmp(account->user, cfg->owner_db_user) == 0)
		fprintf(out, "account %s: left alone, it is the owner's\n",
		    account->user);
	else if (account->password == NULL || account->password[0] == '\0')
		fprintf(out, "account %s: left alone, %s is not set\n",
		    account->user, account->setting);
	else
		return false;
	return true;
}

int
accounts_apply(MYSQL *mysql, const struct config *cfg, FILE *out,
    struct err *err)
{
	char *text = NULL;
	size_t len = 0;
	FILE *dba = open_memstream(&text, &len);
	bool refused = false, failed = false, ready;

	if (dba == NULL)
		abort();
	/* GRANT to an account that isn't there would make it. */
	ready = mysql_query(mysql, "SET SESSION sql_mode = "
	    "CONCAT(@@SESSION.sql_mode, ',NO_AUTO_CREATE_USER')") == 0;
	if (!ready)
		db_says(mysql, "accounts", err);
	for (size_t r = 0; ready && r < ROLE__MAX; r++) {
		struct account account = account_of(cfg, r);
		struct rights need = needs_of(cfg, account.user);
		enum account_result result = ACCOUNT_OK;

		if (!passed_over(&account, cfg, out))
			result = account_apply(mysql, cfg, &account, &need,
			    out, dba, err);
		refused |= result == ACCOUNT_REFUSED;
		failed |= result == ACCOUNT_FAILED;
		rights_free(&need);
	}
	if (fclose(dba) != 0)
		abort();
	if (refused) {
		fprintf(out, "-- for a database administrator to run:\n%s",
		    text);
		err_add(err, "%s may not do what the accounts need: let a "
		    "database administrator run the SQL above, then run "
		    "migrate again", cfg->owner_db_user);
	}
	free(text);
	return !ready || refused || failed ? -1 : 0;
}

void
accounts_print(const struct config *cfg, FILE *out)
{
	for (size_t r = 0; r < ROLE__MAX; r++) {
		struct account account = account_of(cfg, r);
		struct rights need = needs_of(cfg, account.user);

		account_print(&account, &need, out);
		rights_free(&need);
	}
}
