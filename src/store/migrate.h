/*
 * The schema: numbered migrations, views, accounts. Every step is idempotent,
 * so that an interrupted run is simply run again.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <mysql.h>
#include <stddef.h>
#include <stdio.h>

#include "base/config.h"

struct err;

/* A migration of sql/, built into the program. */
struct sql_file {
	int version;
	const char *name;
	const char *checksum;	/* SHA-256 of the file, in hex */
	const char *text;
};

extern const struct sql_file sql_files[];	/* in order of version */
extern const size_t sql_nfiles;
extern const char sql_views[];

/*
 * Whether the schema has all that this program was built with. It may have
 * more, since migrations only add: hosts are upgraded one by one, or put back;
 * notes, unless NULL, says so. Returns 0, or -1 with the reason in err.
 */
int schema_check(MYSQL *mysql, struct err *err, struct err *notes)
    __attribute__((warn_unused_result));

/*
 * Brings schema, views and accounts up to date over the owner's connection
 * (the database may not exist yet), with a line on out for each thing done.
 * Waits for others that do the same. Returns 0, or -1 with the reason in err.
 */
int migrate(MYSQL *mysql, const struct config *cfg, FILE *out,
    struct err *err) __attribute__((warn_unused_result));

#endif
