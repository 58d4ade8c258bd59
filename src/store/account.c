/*
 * Makes an account what it should be. Its state is asked of the account
 * itself: whether it can log in, and SHOW GRANTS. So nothing is done, and no
 * right is needed, where a DBA has done it.
 */
#include "store/account.h"

#include <mysqld_error.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/rights.h"

struct work {
	MYSQL *owner;
	const struct config *cfg;
	const struct account *account;
	FILE *out, *dba;
	struct err *err;
	char *name;		/* 'user'@'host' */
	bool made, changed, refused, failed;
	unsigned given, taken;
};

/* As asprintf(3), but never fails; the caller frees it. */
static char *
format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *
format(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	return s;
}

static void
wipe(char *secret)
{
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

/* A copy for a string in quotes. */
static char *
escaped(const char *text)
{
	char *copy = mem_calloc(2 * strlen(text) + 1, 1), *end = copy;

	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			*end++ = '\\';
		*end++ = *text;
	}
	return copy;
}

static char *
account_name(const char *user, const char *host)
{
	char *u = escaped(user), *h = escaped(host);
	char *name = format("'%s'@'%s'", u, h);

	free(h);
	free(u);
	return name;
}

/* Whether an error says that somebody else must do it. */
static bool
is_refusal(unsigned int e)
{
	static const unsigned int refusals[] = {
		ER_DBACCESS_DENIED_ERROR,	/* 1044 */
		ER_ACCESS_DENIED_ERROR,		/* 1045 */
		ER_PASSWORD_NO_MATCH,		/* 1133: no such account */
		ER_TABLEACCESS_DENIED_ERROR,	/* 1142 */
		ER_COLUMNACCESS_DENIED_ERROR,	/* 1143 */
		ER_SPECIFIC_ACCESS_DENIED_ERROR,	/* 1227 */
		ER_CANNOT_USER,			/* 1396 */
		ER_CANT_CREATE_USER_WITH_GRANT,	/* 1410 */
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i] == e)
			return true;
	return false;
}

/* After a failed statement: shown is what a DBA gets to see of it. */
static void
fail(struct work *w, const char *shown)
{
	unsigned int e = mysql_errno(w->owner);

	if (is_refusal(e)) {
		fprintf(w->dba, "%s;\n", shown);
		w->refused = true;
		return;
	}
	/* A parser's message would quote the statement. */
	err_add(w->err, "account %s: %s (%u)", w->account->user,
	    e == ER_PARSE_ERROR ? "the server can't read the statement" :
	    mysql_error(w->owner), e);
	w->failed = true;
}

/* Logs in as the account. Returns NULL, with lines in err, if it can't. */
static MYSQL *
login(const struct work *w, struct err *err)
{
	struct config cfg = *w->cfg;
	char *user = mem_strdup(w->account->user);
	char *password = mem_strdup(w->account->password);
	MYSQL *mysql;

	cfg.owner_db_user = user;
	cfg.owner_db_password = password;
	mysql = db_connect(&cfg, DB_ROLE_OWNER, NULL, 0, err);
	wipe(password);
	free(user);
	return mysql;
}

/*
 * "VIA mysql_native_password USING '*HEX'", HEX of SHA1(SHA1(password)), which
 * is what the server keeps: statements show in process lists and logs.
 */
static char *
as_hash(const char *password)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
	unsigned int n;

	if (EVP_Digest(password, strlen(password), md, &n, EVP_sha1(),
	    NULL) != 1 || EVP_Digest(md, n, md, &n, EVP_sha1(), NULL) != 1)
		abort();
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02X", md[i]);
	return format("VIA mysql_native_password USING '*%s'", hex);
}

static char *
as_text(const char *password)
{
	char *text = escaped(password);
	char *clause = format("BY '%s'", text);

	wipe(text);
	return clause;
}

/* CREATE USER IF NOT EXISTS or ALTER USER, with the password. */
static bool
set_user(struct work *w, const char *verb)
{
	char *clause, *sql, *shown;
	unsigned int e = 0;

	for (size_t i = 0; i < 2; i++) {
		clause = i == 0 ? as_hash(w->account->password) :
		    as_text(w->account->password);
		sql = format("%s %s IDENTIFIED %s", verb, w->name, clause);
		e = mysql_query(w->owner, sql) == 0 ? 0 :
		    mysql_errno(w->owner);
		wipe(sql);
		wipe(clause);
		/* A server that judges passwords wants to see them. */
		if (e != ER_OPTION_PREVENTS_STATEMENT &&
		    e != ER_NOT_VALID_PASSWORD)
			break;
	}
	if (e == 0)
		return true;
	shown = format("%s %s IDENTIFIED BY '<%s>'", verb, w->name,
	    w->account->setting);
	fail(w, shown);
	free(shown);
	return false;
}

/* Makes the account, or gives it its password. Returns a login, or NULL. */
static MYSQL *
make(struct work *w)
{
	MYSQL *mysql;

	if (!set_user(w, "CREATE USER IF NOT EXISTS"))
		return NULL;
	w->made = mysql_warning_count(w->owner) == 0;
	w->changed = !w->made;
	if (!w->made && !set_user(w, "ALTER USER"))
		return NULL;
	if ((mysql = login(w, w->err)) == NULL) {
		err_add(w->err, "account %s has its password, but can't log "
		    "in: one for a nearer host may stand before it, see "
		    "SELECT user, host FROM mysql.user", w->name);
		w->failed = true;
	}
	return mysql;
}

/* The account's name as the server knows it: the host may be another. */
static void
read_name(struct work *w, MYSQL *mysql)
{
	MYSQL_RES *res;
	MYSQL_ROW row;
	const char *at;

	if (mysql_query(mysql, "SELECT CURRENT_USER()") != 0 ||
	    (res = mysql_store_result(mysql)) == NULL)
		return;
	row = mysql_fetch_row(res);
	if (row != NULL && row[0] != NULL &&
	    (at = strrchr(row[0], '@')) != NULL) {
		free(w->name);
		w->name = account_name(w->account->user, at + 1);
	}
	mysql_free_result(res);
}

static void
change(struct work *w, bool grant, const struct right *right)
{
	char *sql = format("%s %s ON %s %s %s", grant ? "GRANT" : "REVOKE",
	    right->name, right->on, grant ? "TO" : "FROM", w->name);

	if (mysql_query(w->owner, sql) != 0)
		fail(w, sql);
	else if (grant)
		w->given++;
	else
		w->taken++;
	free(sql);
}

/* First what is missing, then what is too much: workers never lack a right. */
static void
settle(struct work *w, const struct rights *need, const struct rights *have)
{
	for (size_t i = 0; i < need->n; i++)
		if (!rights_contain(have, &need->list[i]))
			change(w, true, &need->list[i]);
	for (size_t i = 0; i < have->n; i++) {
		const struct right *r = &have->list[i];

		if (strcmp(r->database, w->cfg->db_name) != 0)
			fprintf(w->out, "account %s: left alone, it also has "
			    "%s%s%s%s%s\n", w->account->user,
			    r->name[0] == '\0' ? "role " : r->name,
			    r->name[0] == '\0' ? "" : " on ", r->database,
			    r->name[0] == '\0' ? "" : ".", r->object);
		else if (!rights_contain(need, r))
			change(w, false, r);
	}
}

static void
report(const struct work *w)
{
	fprintf(w->out, "account %s: %s", w->account->user,
	    w->failed ? "failed" : w->refused ? "left to a DBA" :
	    w->made ? "made" : w->changed ? "password changed" :
	    w->given + w->taken > 0 ? "rights changed" : "up to date");
	if (w->given + w->taken > 0)
		fprintf(w->out, " (rights: %u given, %u taken)", w->given,
		    w->taken);
	fputc('\n', w->out);
}

enum account_result
account_apply(MYSQL *owner, const struct config *cfg,
    const struct account *account, const struct rights *need, FILE *out,
    FILE *dba, struct err *err)
{
	struct work w = { .owner = owner, .cfg = cfg, .account = account,
	    .out = out, .dba = dba, .err = err };
	struct rights have = { NULL, 0 };
	struct err ignored = ERR_INIT;	/* that it can't log in yet */
	MYSQL *mysql;

	w.name = account_name(account->user, "%");
	if ((mysql = login(&w, &ignored)) == NULL)
		mysql = make(&w);
	if (mysql != NULL) {
		read_name(&w, mysql);
		if (rights_read(&have, mysql, err) != 0)
			w.failed = true;
		mysql_close(mysql);
	}
	if (!w.failed)
		settle(&w, need, &have);
	report(&w);
	rights_free(&have);
	free(w.name);
	return w.failed ? ACCOUNT_FAILED :
	    w.refused ? ACCOUNT_REFUSED : ACCOUNT_OK;
}

void
account_print(const struct account *account, const struct rights *need,
    FILE *out)
{
	char *name = account_name(account->user, "%");
	const struct right *r = need->list, *end = r + need->n;

	fprintf(out, "CREATE USER IF NOT EXISTS %s IDENTIFIED BY '<%s>';\n",
	    name, account->setting);
	for (; r < end; r++) {
		fprintf(out, "GRANT %s", r->name);
		for (; r + 1 < end && strcmp(r[1].on, r->on) == 0; r++)
			fprintf(out, ", %s", r[1].name);
		fprintf(out, " ON %s TO %s;\n", r->on, name);
	}
	free(name);
}
