/*
 * What the database server's own settings mean for our promises, and the
 * trail of a connection that was lost.
 */
#ifndef STORE_SERVER_H
#define STORE_SERVER_H

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"

struct err;

struct server_facts {
	char name[300];			/* "database", and its host */
	size_t max_allowed_packet;	/* bytes */
	int flush_log_at_trx_commit;
	int sync_binlog;
	bool log_bin;
	bool read_only;
	char binlog_format[16];
	char version[64];
};

/* Returns 0, or -1 with a line in err; a read-only server is an error. */
int server_facts_read(struct server_facts *facts, MYSQL *mysql,
    struct err *err) __attribute__((warn_unused_result));

/* A line for each setting by which a 2xx would promise too much. */
void server_facts_notes(const struct server_facts *facts,
    const struct config *cfg, struct err *notes);

/* Where a connection stood whose last answer may have been lost. */
struct server_trail {
	char where[256];	/* "" if none */
	unsigned long thread_id;
};

void server_trail_keep(struct server_trail *trail, MYSQL *lost);

/*
 * Kills the lost connection from a new one to the same server: its locks
 * would stop the retry. Forgets the trail.
 */
void server_trail_clear(struct server_trail *trail, MYSQL *mysql);

#endif
