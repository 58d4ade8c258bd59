/* Reads the server's durability settings; kills lost connections. */
#include "store/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/db.h"

int
server_facts_read(struct server_facts *facts, MYSQL *mysql, struct err *err)
{
	MYSQL_RES *res = NULL;
	MYSQL_ROW row;
	const char *host = NULL;
	int rc = -1;

	memset(facts, 0, sizeof(*facts));
	(void)mariadb_get_infov(mysql, MARIADB_CONNECTION_HOST, &host);
	snprintf(facts->name, sizeof(facts->name), "database%s%s",
	    host != NULL ? " " : "", host != NULL ? host : "");
	if (mysql_query(mysql, "SELECT @@max_allowed_packet, "
	    "@@innodb_flush_log_at_trx_commit, @@sync_binlog, @@log_bin, "
	    "@@read_only, @@binlog_format, VERSION()") != 0 ||
	    (res = mysql_store_result(mysql)) == NULL ||
	    (row = mysql_fetch_row(res)) == NULL) {
		db_says(mysql, facts->name, err);
		goto out;
	}
	facts->max_allowed_packet = strtoul(row[0], NULL, 10);
	facts->flush_log_at_trx_commit = (int)strtol(row[1], NULL, 10);
	facts->sync_binlog = (int)strtol(row[2], NULL, 10);
	facts->log_bin = strcmp(row[3], "1") == 0;
	facts->read_only = strcmp(row[4], "1") == 0;
	snprintf(facts->binlog_format, sizeof(facts->binlog_format), "%s",
	    row[5]);
	snprintf(facts->version, sizeof(facts->version), "%s", row[6]);
	if (facts->read_only)
		err_add(err, "%s: the server is read-only (read_only=1): "
		    "point STRIPEHOOK_DB_HOST at the primary", facts->name);
	else
		rc = 0;
out:
	mysql_free_result(res);
	return rc;
}

void
server_facts_notes(const struct server_facts *f, const struct config *cfg,
    struct err *notes)
{
	if (f->flush_log_at_trx_commit != 1)
		err_add(notes, "%s: innodb_flush_log_at_trx_commit is %d: a "
		    "crash of the server can lose events that were answered "
		    "2xx; set it to 1", f->name, f->flush_log_at_trx_commit);
	if (f->log_bin && f->sync_binlog != 1)
		err_add(notes, "%s: sync_binlog is %d: after a crash replicas "
		    "can miss events; set it to 1", f->name, f->sync_binlog);
	if (f->log_bin && strcmp(f->binlog_format, "STATEMENT") == 0)
		err_add(notes, "%s: binlog_format is STATEMENT, unsafe under "
		    "READ COMMITTED; set it to ROW", f->name);
	if (f->max_allowed_packet / 2 < (size_t)cfg->body_max)
		err_add(notes, "%s: max_allowed_packet is %zu bytes, less "
		    "than twice STRIPEHOOK_BODY_MAX (%ld): large events could "
		    "not be stored", f->name, f->max_allowed_packet,
		    cfg->body_max);
}

void
server_trail_keep(struct server_trail *trail, MYSQL *lost)
{
	snprintf(trail->where, sizeof(trail->where), "%s",
	    mysql_get_host_info(lost));
	trail->thread_id = mysql_thread_id(lost);
}

void
server_trail_clear(struct server_trail *trail, MYSQL *mysql)
{
	char sql[64];

	/* Thread numbers mean something on their own server alone. */
	if (trail->where[0] != '\0' &&
	    strcmp(trail->where, mysql_get_host_info(mysql)) == 0 &&
	    trail->thread_id != mysql_thread_id(mysql)) {
		snprintf(sql, sizeof(sql), "KILL HARD %lu", trail->thread_id);
		/* It is mostly gone already, which is an error to KILL. */
		(void)mysql_query(mysql, sql);
	}
	trail->where[0] = '\0';
}
