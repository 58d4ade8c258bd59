/* Connects to MariaDB, sets sessions up, and classifies errors. */
#include "store/db.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* What a connection to a node remembers. */
#define CLUSTERED "clustered"

/* MYSQL_CLIENT_AUTHENTICATION_PLUGIN, whose header needs one not installed. */
enum { AUTH_PLUGIN = 2 };

/*
 * Errors by number; what isn't here goes by its SQLSTATE. The numbers are
 * MariaDB's (mariadb.com/kb, "MariaDB Error Codes").
 */
static const struct {
	unsigned int number;
	enum db_class class;
} numbers[] = {
	{ ER_LOCK_DEADLOCK, DB_RETRY },		/* 1213; Galera: conflict */
	{ ER_LOCK_WAIT_TIMEOUT, DB_RETRY },	/* 1205 */
	{ ER_CHECKREAD, DB_RETRY },		/* 1020, snapshot isolation */
	{ ER_STATEMENT_TIMEOUT, DB_RETRY },	/* 1969 */

	{ ER_CONNECTION_KILLED, DB_RECONNECT },	/* 1927 */
	{ ER_SERVER_SHUTDOWN, DB_RECONNECT },	/* 1053 */
	{ ER_CON_COUNT_ERROR, DB_RECONNECT },	/* 1040 */
	{ ER_TOO_MANY_USER_CONNECTIONS, DB_RECONNECT },	/* 1203 */
	{ ER_USER_LIMIT_REACHED, DB_RECONNECT },	/* 1226 */
	{ ER_UNKNOWN_COM_ERROR, DB_RECONNECT },	/* 1047: node not ready */
	{ ER_ERROR_DURING_COMMIT, DB_RECONNECT },	/* 1180, Galera */
	{ ER_QUERY_INTERRUPTED, DB_RECONNECT },	/* 1317 */
	{ ER_NET_READ_ERROR, DB_RECONNECT },	/* 1158 */
	{ ER_NET_READ_INTERRUPTED, DB_RECONNECT },	/* 1159 */
	{ ER_NET_ERROR_ON_WRITE, DB_RECONNECT },	/* 1160 */
	{ ER_NET_WRITE_INTERRUPTED, DB_RECONNECT },	/* 1161 */
	{ ER_OPTION_PREVENTS_STATEMENT, DB_RECONNECT },	/* 1290: read-only */
	{ ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, DB_RECONNECT },
	{ ER_UNKNOWN_STMT_HANDLER, DB_RECONNECT },	/* 1243 */
	{ ER_NEED_REPREPARE, DB_RECONNECT },	/* 1615 */

	{ ER_DATA_TOO_LONG, DB_DATA },		/* 1406 */
	{ ER_WARN_DATA_OUT_OF_RANGE, DB_DATA },	/* 1264 */
	{ ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, DB_DATA },	/* 1366 */
	{ ER_CONSTRAINT_FAILED, DB_DATA },	/* 4025: CHECK, JSON_VALID */
};

/* The server has none in these ranges. */
static bool
is_the_librarys(unsigned int number)
{
	return (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) ||
	    number >= CER_MIN_ERROR;
}

enum db_class
db_classify(unsigned int mysql_errno, const char *sqlstate)
{
	if (mysql_errno == 0)
		return DB_OK;
	if (mysql_errno == CR_OUT_OF_MEMORY)
		mem_exhausted();
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].number == mysql_errno)
			return numbers[i].class;
	/* Lost, or not understood: what comes next on it can't be trusted. */
	if (is_the_librarys(mysql_errno))
		return DB_RECONNECT;
	/* 22: data exception, 23: constraint violation. */
	if (strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0)
		return DB_DATA;
	return DB_SYSTEM;
}

enum db_class
db_class_of(MYSQL *mysql)
{
	unsigned int number = mysql_errno(mysql);

	return db_classify(number != 0 ? number : CR_SERVER_LOST,
	    mysql_sqlstate(mysql));
}

void
db_says(MYSQL *mysql, const char *what, struct err *err)
{
	err_add(err, "%s: %s (%u)", what, mysql_error(mysql),
	    mysql_errno(mysql));
}

enum db_class
db_failed(MYSQL *mysql, const char *what, struct err *err)
{
	db_says(mysql, what, err);
	return db_class_of(mysql);
}

void
db_load_all(void)
{
	/* Libraries of libmariadb's that a server's account may ask for. */
	static const char *const plugins[] = { "caching_sha2_password",
	    "client_ed25519", "dialog", "mysql_clear_password",
	    "sha256_password" };
	MYSQL *mysql;

	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	/* Its first call looks the port of "mysql" up. */
	if (mysql_library_init(0, NULL, NULL) != 0 ||
	    (mysql = mysql_init(NULL)) == NULL)
		return;
	for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++)
		(void)mysql_load_plugin(mysql, plugins[i], AUTH_PLUGIN, 0);
	mysql_close(mysql);
}

static void
account(const struct config *cfg, enum db_role role, const char **user,
    const char **password)
{
	const struct {
		const char *user, *password;
	} accounts[] = {
		[DB_ROLE_INGEST] = { cfg->db_user, cfg->db_password },
		[DB_ROLE_STATUS] = { cfg->status_db_user,
		    cfg->status_db_password },
		[DB_ROLE_OWNER] = { cfg->owner_db_user,
		    cfg->owner_db_password },
		[DB_ROLE_OWNER_IN_HASTE] = { cfg->owner_db_user,
		    cfg->owner_db_password },
	};

	*user = accounts[role].user;
	/* NULL would make the library take MYSQL_PWD from the environment. */
	*password = accounts[role].password != NULL ?
	    accounts[role].password : "";
}

static void
set_options(MYSQL *mysql, const struct config *cfg, enum db_role role)
{
	unsigned int connect = DB_CONNECT_TIMEOUT, off = 0;
	/* A migration's statements may take as long as they need. */
	unsigned int rw = role == DB_ROLE_OWNER ? 3600 : DB_DEADLINE;
	my_bool yes = 1;

	mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
	mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &rw);
	mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &rw);
	mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
	mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (cfg->db_tls_ca != NULL && cfg->db_host.n > 0) {
		/* ENFORCE alone falls back to plain text without a word. */
		mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, cfg->db_tls_ca);
		mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
		mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
		mysql_optionsv(mysql, MARIADB_OPT_TLS_VERSION,
		    "TLSv1.2,TLSv1.3");
	}
}

/* Returns 0 or -1 with the library's error set. */
static int
set_session(MYSQL *mysql, enum db_role role)
{
	char sql[512];

	/* 10.11 and 11 name the variable differently; this suits both. */
	if (mysql_query(mysql,
	    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED") != 0)
		return -1;
	/* A statement must end before the read time-out gives up on it. */
	snprintf(sql, sizeof(sql),
	    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,"
	    "NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
	    "NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', "
	    "innodb_lock_wait_timeout = %d, wait_timeout = 86400, "
	    "max_statement_time = %d",
	    DB_LOCK_WAIT_TIMEOUT,
	    role == DB_ROLE_OWNER ? 0 : DB_DEADLINE - 1);
	if (mysql_query(mysql, sql) != 0)
		return -1;
	/*
	 * Whoever reads on one node of a cluster sees what was committed on
	 * another. Servers built without Galera don't know the variable.
	 */
	return mysql_query(mysql, "SET SESSION wsrep_sync_wait = 1") == 0 ||
	    mysql_errno(mysql) == ER_UNKNOWN_SYSTEM_VARIABLE ? 0 : -1;
}

bool
db_is_clustered(MYSQL *mysql)
{
	void *there = NULL;

	return mysql_get_optionv(mysql, MARIADB_OPT_USERDATA, CLUSTERED,
	    &there) == 0 && there != NULL;
}

/*
 * Whether this server may serve: 1, 0, or -1 with the library's error set. A
 * node of a Galera cluster must be of its primary component and up to date;
 * SELECT 1 succeeds on any.
 */
static int
is_ready(MYSQL *mysql)
{
	static char clustered[] = CLUSTERED;
	bool galera = false, primary = false, ready = false;
	MYSQL_RES *res;
	MYSQL_ROW row;

	if (mysql_query(mysql, "SHOW STATUS WHERE Variable_name IN "
	    "('wsrep_provider_name', 'wsrep_cluster_status', "
	    "'wsrep_ready')") != 0 ||
	    (res = mysql_store_result(mysql)) == NULL)
		return mysql_errno(mysql) == ER_UNKNOWN_COM_ERROR ? 0 : -1;
	while ((row = mysql_fetch_row(res)) != NULL) {
		galera |= strcmp(row[0], "wsrep_provider_name") == 0 &&
		    row[1][0] != '\0';
		primary |= strcmp(row[1], "Primary") == 0;
		ready |= strcmp(row[1], "ON") == 0;
	}
	mysql_free_result(res);
	if (!galera)
		return 1;
	if (mysql_optionsv(mysql, MARIADB_OPT_USERDATA, clustered,
	    clustered) != 0)
		mem_exhausted();
	return primary && ready;
}

static MYSQL *
connect_one(const struct config *cfg, enum db_role role, const char *host,
    const char *database, struct err *err)
{
	const char *where = host != NULL ? host : cfg->db_socket;
	const char *user, *password;
	char what[512];
	MYSQL *mysql = mysql_init(NULL);
	int ready = -1;

	if (mysql == NULL)
		mem_exhausted();
	account(cfg, role, &user, &password);
	set_options(mysql, cfg, role);
	if (mysql_real_connect(mysql, host, user, password, database,
	    (unsigned int)cfg->db_port, cfg->db_socket, 0) != NULL &&
	    (ready = is_ready(mysql)) == 1 && set_session(mysql, role) == 0)
		return mysql;
	if (ready == 0) {
		err_add(err, "database %s: the node is not ready: not in the "
		    "cluster's primary component, or still catching up",
		    where);
	} else {
		snprintf(what, sizeof(what), "database %s as %s", where,
		    user);
		(void)db_failed(mysql, what, err);
	}
	mysql_close(mysql);
	return NULL;
}

MYSQL *
db_connect(const struct config *cfg, enum db_role role, const char *database,
    unsigned first, struct err *err)
{
	const struct err before = *err;
	size_t n = cfg->db_host.n;
	MYSQL *mysql = NULL;

	if (n == 0)
		return connect_one(cfg, role, NULL, database, err);
	for (size_t i = 0; i < n && mysql == NULL; i++)
		mysql = connect_one(cfg, role, cfg->db_host.s[(first + i) % n],
		    database, err);
	/* That another one is down is no error while one is there. */
	if (mysql != NULL)
		*err = before;
	return mysql;
}
