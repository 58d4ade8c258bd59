/* Takes lists of rights apart, those of SHOW GRANTS too. */
#include "store/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/db.h"

/* What ALL PRIVILEGES means on a table (mariadb.com/kb, "GRANT"). */
static const char all_on_table[] = "SELECT, INSERT, UPDATE, DELETE, CREATE, "
    "DROP, REFERENCES, INDEX, ALTER, CREATE VIEW, SHOW VIEW, TRIGGER, "
    "DELETE HISTORY";

/* Where rights are, as in struct right. */
struct place {
	const char *database, *object, *on;
};

/* Adds one; name becomes the set's. */
static void
put(struct rights *set, char *name, const struct place *at)
{
	set->list = mem_reallocarray(set->list, set->n + 1,
	    sizeof(*set->list));
	set->list[set->n++] = (struct right){ name, mem_strdup(at->database),
	    mem_strdup(at->object), mem_strdup(at->on) };
}

/* Adds one right for each column of "a, `b`)". Returns what comes after. */
static const char *
put_columns(struct rights *set, const char *s, const char *word, size_t len,
    const struct place *at)
{
	while (*s != ')' && *s != '\0') {
		size_t n = strcspn(s += strspn(s, ", `"), ",`)");
		char *name = mem_calloc(len + n + sizeof(" ()"), 1);

		snprintf(name, len + n + sizeof(" ()"), "%.*s (%.*s)",
		    (int)len, word, (int)n, s);
		put(set, name, at);
		s += n;
		s += strspn(s, "` ");
	}
	return s + (*s == ')');
}

static void
put_list(struct rights *set, const char *list, const struct place *at)
{
	/* All of a table's one by one, to compare and to revoke some. */
	if (strcmp(list, "ALL PRIVILEGES") == 0 && strcmp(at->object, "*") != 0)
		list = all_on_table;
	while (*(list += strspn(list, ", ")) != '\0') {
		size_t len = strcspn(list, ",(");
		const char *word = list;

		list += len;
		while (len > 0 && word[len - 1] == ' ')
			len--;
		if (*list == '(') {
			list = put_columns(set, list + 1, word, len, at);
		} else if (len != 5 || memcmp(word, "USAGE", 5) != 0) {
			char *name = mem_calloc(len + 1, 1);

			memcpy(name, word, len);
			put(set, name, at);
		}
	}
}

/* Copies a name in backticks, those in it doubled, to end. */
static char *
quote(char *end, const char *name)
{
	*end++ = '`';
	for (; *name != '\0'; name++) {
		if (*name == '`')
			*end++ = '`';
		*end++ = *name;
	}
	*end++ = '`';
	return end;
}

void
rights_add(struct rights *set, const char *list, const char *database,
    const char *object)
{
	char *on = mem_calloc(2 * (strlen(database) + strlen(object)) +
	    sizeof("``.``"), 1), *end = quote(on, database);

	*end++ = '.';
	quote(end, object);
	put_list(set, list, &(struct place){ database, object, on });
	free(on);
}

/*
 * Copies a name in backticks, or '*', without quotes; in a pattern wildcards
 * are escaped. Moves *p behind it. The caller frees it.
 */
static char *
unquote(const char **p, bool pattern)
{
	const char *s = *p;
	char *name = mem_calloc(strlen(s) + 2, 1);
	size_t n = 0;

	if (*s != '`') {
		name[0] = '*';
		*p = s + (*s == '*');
		return name;
	}
	for (s++; *s != '\0' && (*s != '`' || s[1] == '`'); s++) {
		if (*s == '`' || (pattern && *s == '\\' && s[1] != '\0'))
			s++;
		name[n++] = *s;
	}
	*p = s + (*s == '`');
	return name;
}

/* A copy of the first len bytes. */
static char *
cut(const char *s, size_t len)
{
	char *copy = mem_calloc(len + 1, 1);

	memcpy(copy, s, len);
	return copy;
}

/* Adds what a line of SHOW GRANTS says. */
static void
add_line(struct rights *set, const char *line)
{
	static const char grant[] = "GRANT ", on_word[] = " ON ";
	const char *p = line + sizeof(grant) - 1, *on;
	char *list, *database, *object, *where;
	struct place at = { "", "", "" };

	if (strncmp(line, grant, sizeof(grant) - 1) != 0)
		return;
	if ((on = strstr(p, on_word)) == NULL) {
		at.object = object = unquote(&p, false);
		put(set, mem_strdup(""), &at);
		free(object);
		return;
	}
	list = cut(p, (size_t)(on - p));
	p = on += sizeof(on_word) - 1;
	at.database = database = unquote(&p, strstr(p, "`.* TO ") != NULL);
	p += *p == '.';
	at.object = object = unquote(&p, false);
	at.on = where = cut(on, (size_t)(p - on));
	put_list(set, list, &at);
	if (strstr(p, " WITH GRANT OPTION") != NULL)
		put_list(set, "GRANT OPTION", &at);
	free(where);
	free(object);
	free(database);
	free(list);
}

int
rights_read(struct rights *set, MYSQL *mysql, struct err *err)
{
	MYSQL_RES *res;
	MYSQL_ROW row;

	if (mysql_query(mysql, "SHOW GRANTS") != 0 ||
	    (res = mysql_store_result(mysql)) == NULL) {
		db_says(mysql, "SHOW GRANTS", err);
		return -1;
	}
	while ((row = mysql_fetch_row(res)) != NULL)
		/* What everybody may is not this account's. */
		if (strstr(row[0], " TO PUBLIC") == NULL)
			add_line(set, row[0]);
	mysql_free_result(res);
	return 0;
}

bool
rights_contain(const struct rights *set, const struct right *right)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->list[i].name, right->name) == 0 &&
		    strcmp(set->list[i].database, right->database) == 0 &&
		    strcmp(set->list[i].object, right->object) == 0)
			return true;
	return false;
}

void
rights_free(struct rights *set)
{
	for (size_t i = 0; i < set->n; i++) {
		free(set->list[i].name);
		free(set->list[i].database);
		free(set->list[i].object);
		free(set->list[i].on);
	}
	free(set->list);
	set->list = NULL;
	set->n = 0;
}
