/* Tries connections, schema and statements without writing anything. */
#include "store/check.h"

#include "base/err.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/links.h"
#include "store/lookup.h"
#include "store/migrate.h"
#include "store/payloads.h"
#include "store/server.h"
#include "store/stmt.h"
#include "store/upsert.h"
#include "stripe/mapping.h"

static void
check_statement(struct stmt *st, MYSQL *mysql, const char *what,
    struct err *err)
{
	if (st == NULL)
		db_says(mysql, what, err);
	stmt_free(st);
}

static void
check_ingest(const struct config *cfg, struct err *err)
{
	MYSQL *mysql = db_connect(cfg, DB_ROLE_INGEST, cfg->db_name, 0, err);
	struct server_facts facts;

	if (mysql == NULL)
		return;
	if (server_facts_read(&facts, mysql, err) == 0 &&
	    schema_check(mysql, err, NULL) == 0) {
		check_statement(journal_prepare_events(mysql, 1), mysql,
		    "event_journal", err);
		check_statement(payloads_prepare(mysql, 1), mysql,
		    "event_payloads", err);
		check_statement(links_prepare(mysql, "", 1), mysql,
		    "links", err);
		for (size_t i = 0; i < mapping_ntables; i++)
			check_statement(upsert_prepare(mysql,
			    mapping_tables[i], UPSERT_NEWER, "", 1), mysql,
			    mapping_tables[i]->name, err);
	}
	mysql_close(mysql);
}

static void
check_status(const struct config *cfg, struct err *err)
{
	MYSQL *mysql = db_connect(cfg, DB_ROLE_STATUS, cfg->db_name, 0, err);
	const struct credential nobody = { .owner = "none" };

	if (mysql == NULL)
		return;
	for (unsigned k = 0; k < KIND__MAX; k++) {
		struct lookup l = { .kind = (enum object_kind)k, .id = "none",
		    .credential = &nobody };

		if (lookup_all(mysql, &l, 1) != OUT_OK)
			err_add(err, "status of %s: %s (%u)",
			    state_kinds[k].object, mysql_error(mysql),
			    mysql_errno(mysql));
		lookup_free(&l, 1);
	}
	mysql_close(mysql);
}

int
check_database(const struct config *cfg, struct err *err)
{
	unsigned before = err->count;

	check_ingest(cfg, err);
	check_status(cfg, err);
	return err->count == before ? 0 : -1;
}
