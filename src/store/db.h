/*
 * Connections to MariaDB, and the one place that knows its error numbers.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <mysql.h>
#include <stdbool.h>

#include "base/config.h"

struct err;

/* What an error asks for. */
enum db_class {
	DB_OK,
	DB_RETRY,	/* deadlock, lock wait: the transaction again */
	DB_RECONNECT,	/* the connection or the node: another one, again */
	DB_DATA,	/* this row's fault: repeating won't help */
	DB_SYSTEM	/* rights, schema, disk: nobody's data; answer 503 */
};

/*
 * An error's class by its number and SQLSTATE. Ends the process if it is the
 * library's lack of memory: nobody else can free any, and a new process may.
 */
enum db_class db_classify(unsigned int mysql_errno, const char *sqlstate);

/*
 * The class of a connection's last failure; one without an error number is a
 * lost connection, never DB_OK.
 */
enum db_class db_class_of(MYSQL *mysql);

/* Adds what (a table, a statement) and the library's words to err. */
void db_says(MYSQL *mysql, const char *what, struct err *err);

/* Both. */
enum db_class db_failed(MYSQL *mysql, const char *what, struct err *err);

/* Whether the connection is to a node of a Galera cluster. */
bool db_is_clustered(MYSQL *mysql);

/* What the caller does while the database works; fn may be NULL. */
struct meanwhile {
	void (*fn)(void *arg);
	void *arg;
};

/*
 * Who connects: chooses user and password from the settings. The owner's
 * statements may take as long as they need, but in haste.
 */
enum db_role {
	DB_ROLE_INGEST, DB_ROLE_STATUS, DB_ROLE_OWNER, DB_ROLE_OWNER_IN_HASTE
};

enum {
	DB_CONNECT_TIMEOUT = 2,		/* seconds */
	DB_DEADLINE = 8,		/* seconds that a batch may take */
	DB_LOCK_WAIT_TIMEOUT = 2	/* seconds, innodb_lock_wait_timeout */
};

/*
 * Loads now what connecting would load from files when it is needed: settings
 * and plugins of the libraries. For processes that can't open them later.
 */
void db_load_all(void);

/*
 * Connects in the given role: tries each host of STRIPEHOOK_DB_HOST once,
 * beginning with number first, or the socket; sets the session up (READ
 * COMMITTED, strict sql_mode, UTC, utf8mb4, time limits, autocommit on; on
 * Galera reads wait for what other nodes have committed). A node of a Galera
 * cluster that isn't in its primary component, or isn't up to date, is passed
 * over. database may be NULL for none. Returns the connection, which the
 * caller closes with mysql_close(), or NULL with a line per host in err.
 */
MYSQL *db_connect(const struct config *cfg, enum db_role role,
    const char *database, unsigned first, struct err *err)
    __attribute__((warn_unused_result));

#endif
