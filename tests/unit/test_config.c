/* Settings: lines, sources and their order, rules, what is printed of them. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/err.h"
#include "base/setting.h"
#include "suite.h"

/* What the daemon can't do without. */
#define MUST "STRIPE_WEBHOOK_SECRET=whsec_k\n" \
	"STRIPEHOOK_DB_PASSWORD=p\nSTRIPEHOOK_STATUS_DB_PASSWORD=p\n"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static char dir[64];
static struct config cfg;
static struct err err, notes;

static void
put(const char *name, const char *text, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	close(fd);
}

/* Loads text as the file "f" over nothing else. */
static int
load(enum config_reader reader, const char *text)
{
	static const char *const files[] = { "f" };

	put("f", text, strlen(text));
	err_reset(&err);
	err_reset(&notes);
	return config_load(&cfg, reader, files, 1, &err, &notes);
}

static void
ck_has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no '%s' in: %s", part, text);
}

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_config.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	err_reset(&err);
	err_reset(&notes);
	ck_assert_int_eq(chdir(dir), 0);
	clearenv();
}

static void
teardown(void)
{
	static const char *const names[] = { "f", "g", "v", ".env",
	    "var/run.env", "var" };

	config_free(&cfg);
	for (int i = 0; i < COUNT(names); i++)
		remove(names[i]);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static const struct {
	const char *line, *value;
} line_cases[] = {
	{ "=plain", "plain" },
	{ "=", "stripehook" },			/* empty: the default */
	{ "=  two words  ", "two words" },
	{ " = spaced", "spaced" },
	{ "=a#b", "a#b" },
	{ "=#a", "#a" },
	{ "=a # comment", "a" },
	{ "=a\t# comment", "a" },
	{ "= # comment", "stripehook" },
	{ "='single'", "single" },
	{ "=\"double\"", "double" },
	{ "=\" kept \"", " kept " },
	{ "='a # b'", "a # b" },
	{ "=\"a\\nb$c\"", "a\\nb$c" },
	{ "='say \"x\"' # comment", "say \"x\"" },
	{ "=\"\"", "stripehook" },
	{ "=it's", "it's" },
	{ "=a=b", "a=b" },
	{ "=crlf\r", "crlf" },
	{ "='crlf'\r", "crlf" },
	{ "=first\nSTRIPEHOOK_DB_NAME=second", "second" },
	{ "=\303\251t\303\251", "\303\251t\303\251" },
};

START_TEST(lines)
{
	static const char *const before[] = { "", "export ", "  ",
	    "\357\273\277", "# comment\r\n\r\n\n", "OTHER='a\nb' \n" };
	char text[512];

	for (int i = 0; i < COUNT(before); i++) {
		snprintf(text, sizeof(text), "%sSTRIPEHOOK_DB_NAME%s",
		    before[i], line_cases[_i].line);
		ck_assert_msg(load(CONFIG_CTL, text) == 0, "%s", err.text);
		ck_assert_str_eq(cfg.db_name, line_cases[_i].value);
		config_free(&cfg);
	}
}
END_TEST

/* A file that is wrong, and what must be said of it. */
static const struct {
	const char *text, *error;
} error_cases[] = {
	{ "\n\nSTRIPEHOOK_DB_PORT=0",
	    "f:3: STRIPEHOOK_DB_PORT: '0' is not a number from 1 to 65535" },
	{ "STRIPEHOOK_DB_PORT=65536", "f:1: STRIPEHOOK_DB_PORT: " },
	{ "STRIPEHOOK_DB_PORT=3306x", "'3306x'" },
	{ "STRIPEHOOK_DB_PORT=-1", "'-1'" },
	{ "STRIPEHOOK_DB_PORT=' 1'", "' 1'" },
	{ "STRIPEHOOK_DB_PORT=99999999999999999999", "'999" },
	{ "STRIPEHOOK_LOG_LEVEL=loud",
	    "'loud' is none of: error, warning, notice, info, debug" },
	{ "STRIPEHOOK_LOG_FORMAT=xml", "none of: text, json" },
	{ "STRIPEHOOK_SANDBOX=yes", "'yes' is none of: on, off" },
	{ "STRIPEHOOK_LIVEMODE=prod", "none of: live, test, any" },
	{ "STRIPEHOOK_DB_HSOT=x",
	    "f:1: STRIPEHOOK_DB_HSOT: is not a setting; did you mean "
	    "STRIPEHOOK_DB_HOST?" },
	{ "STRIPEHOOK_DB_PASS=x", "did you mean STRIPEHOOK_DB_PASSWORD?" },
	{ "stripehook_user=x", "did you mean STRIPEHOOK_USER?" },
	{ "STRIPEHOOK_ZZZZZZZZZZ=x", "is not a setting\n" },
	{ "STRIPEHOOK_CONFIG=x", "only the environment can set it" },
	{ "STRIPEHOOK_DB_NAME", "f:1: a line must be KEY=value" },
	{ "STRIPEHOOK_DB NAME=x", "f:1: a line must be KEY=value" },
	{ "=x", "f:1: a line must be KEY=value" },
	{ "STRIPEHOOK_DB_NAME='x", "f:1: STRIPEHOOK_DB_NAME: the quote" },
	{ "STRIPEHOOK_DB_NAME='x'y", "text after the closing quote" },
	{ "STRIPEHOOK_DB_NAME='x'#y", "text after the closing quote" },
	{ "STRIPEHOOK_DB_HOST=a,,b", "an element of the list is empty" },
	{ "STRIPEHOOK_DB_HOST=a,", "an element of the list is empty" },
	{ "STRIPEHOOK_STATUS_KEY=0123456789012345678901234567890",
	    "key 1 is shorter than 32" },
	{ "STRIPEHOOK_STATUS_KEY=01234567890123456789012345678901,x",
	    "key 2 is shorter than 32" },
	{ "STRIPE_SECRET_KEY=pk_1", "is a publishable key, not a secret" },
	{ "STRIPE_SECRET_KEY=x", "is something else, not a secret" },
	{ "STRIPE_PUBLISHABLE_KEY=sk_1", "is a secret API key, not a publish" },
	{ "STRIPE_PUBLISHABLE_KEY=rk_1", "it would be shown to everybody" },
	{ "STRIPEHOOK_INGEST_SOCKET=/a\nSTRIPEHOOK_STATUS_SOCKET=/a",
	    "are the same path" },
	{ "STRIPEHOOK_DB_NAME=a\nSTRIPEHOOK_DB_NAME_FILE=f",
	    "f:2: STRIPEHOOK_DB_NAME_FILE: is set with and without _FILE" },
	{ "STRIPEHOOK_DB_NAME_FILE=none",
	    "f:1: STRIPEHOOK_DB_NAME: STRIPEHOOK_DB_NAME_FILE names 'none', "
	    "which gives no value: No such file" },
	{ "STRIPEHOOK_DB_NAME_FILE=/dev/null", "it is empty" },
	{ "STRIPEHOOK_DB_NAME_FILE=/", "Is a directory" },
	{ "STRIPE_WEBHOOK_SECRET_FILE=whsec_a",
	    "names '(the secret itself?)'" },
};

START_TEST(errors)
{
	ck_assert_int_eq(load(CONFIG_CTL, error_cases[_i].text), -1);
	ck_has(err.text, error_cases[_i].error);
	ck_assert_uint_eq(err.count, 1);
	ck_assert_ptr_null(cfg.db_name);
}
END_TEST

static const struct {
	const char *value;	/* of STRIPE_WEBHOOK_SECRET, in quotes */
	const char *error, *note;
	size_t n;
	enum livemode mode;	/* and text of the last one */
	const char *text;
} secret_cases[] = {
	{ "whsec_a", NULL, NULL, 1, LIVEMODE_ANY, "whsec_a" },
	{ "whsec_a,whsec_b", NULL, NULL, 2, LIVEMODE_ANY, "whsec_b" },
	{ "live:whsec_a,test:whsec_b", NULL, NULL, 2, LIVEMODE_TEST,
	    "whsec_b" },
	{ "test:whsec_a, live:whsec_b", NULL, NULL, 2, LIVEMODE_LIVE,
	    "whsec_b" },
	{ " whsec_a", NULL, "begins or ends with white space", 1,
	    LIVEMODE_ANY, " whsec_a" },
	{ "live:whsec_a\t", NULL, "begins or ends with white space", 1,
	    LIVEMODE_LIVE, "whsec_a\t" },
	{ "other", NULL, "doesn't begin with whsec_", 1, LIVEMODE_ANY,
	    "other" },
	{ "whsec_secret", NULL, NULL, 1, LIVEMODE_ANY, "whsec_secret" },
	{ " ", "secret 1 is blank", NULL, 0, 0, NULL },
	{ "whsec_a,,whsec_b", "secret 2 is blank", NULL, 0, 0, NULL },
	{ "whsec_a,", "secret 2 is blank", NULL, 0, 0, NULL },
	{ "whsec_a,live:", "secret 2 is blank", NULL, 0, 0, NULL },
	{ "sk_live_SEKRET", "secret 1 is a secret API key", NULL, 0, 0, NULL },
	{ "rk_live_SEKRET", "is a restricted API key", NULL, 0, 0, NULL },
	{ "test:pk_SEKRET", "is a publishable key", NULL, 0, 0, NULL },
	{ "we_SEKRET", "is the id of a webhook endpoint", NULL, 0, 0, NULL },
	{ "whsec_...", "is a placeholder", NULL, 0, 0, NULL },
	{ "whsec_xxx", "is a placeholder", NULL, 0, 0, NULL },
	{ "whsec_", "is a placeholder", NULL, 0, 0, NULL },
	{ "whsec_\342\200\246", "is a placeholder", NULL, 0, 0, NULL },
	{ "live:whsec_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
	    "is a placeholder", NULL, 0, 0, NULL },
	{ "whsec_your_secret", "is a placeholder", NULL, 0, 0, NULL },
	{ "<secret>", "is a placeholder", NULL, 0, 0, NULL },
};

START_TEST(secrets)
{
	const struct signing_secret *last;
	char text[256];
	int rc;

	snprintf(text, sizeof(text), "STRIPE_WEBHOOK_SECRET='%s'",
	    secret_cases[_i].value);
	rc = load(CONFIG_CTL, text);
	if (secret_cases[_i].error != NULL) {
		ck_assert_int_eq(rc, -1);
		ck_has(err.text, secret_cases[_i].error);
		ck_assert_ptr_null(strstr(err.text, "SEKRET"));
		return;
	}
	ck_assert_msg(rc == 0, "%s", err.text);
	ck_assert_uint_eq(cfg.webhook_secrets.n, secret_cases[_i].n);
	last = &cfg.webhook_secrets.list[cfg.webhook_secrets.n - 1];
	ck_assert_str_eq(last->text, secret_cases[_i].text);
	ck_assert_uint_eq(last->len, strlen(last->text));
	ck_assert_int_eq((int)last->mode, (int)secret_cases[_i].mode);
	if (secret_cases[_i].note != NULL)
		ck_has(notes.text, secret_cases[_i].note);
	else
		ck_assert_str_eq(notes.text, "");
}
END_TEST

static const struct {
	const char *origin;
	int rc;
} origin_cases[] = {
	{ "https://shop.example", 0 }, { "http://localhost:3000", 0 },
	{ "http://localhost:3000, https://a.example", 0 },
	{ "http://[::1]:5173", 0 }, { "capacitor://localhost", 0 },
	{ "https://shop.example:8443", 0 },
	{ "https://shop.example/", -1 }, { "https://shop.example/x", -1 },
	{ "https://shop.example:443", -1 }, { "http://shop.example:80", -1 },
	{ "https://Shop.example", -1 }, { "HTTPS://shop.example", -1 },
	{ "shop.example", -1 }, { "*", -1 }, { "https://", -1 },
	{ "https://*.example", -1 }, { "https://a:", -1 },
	{ "https://a:70000", -1 }, { "https://a:1/", -1 },
	{ "https://[::1", -1 }, { "https://:80", -1 }, { "https://a b", -1 },
	{ "https://a,,https://b", -1 }, { "null", -1 },
};

START_TEST(origins)
{
	char text[256];

	snprintf(text, sizeof(text), "STRIPEHOOK_ALLOWED_ORIGINS=%s",
	    origin_cases[_i].origin);
	ck_assert_msg(load(CONFIG_CTL, text) == origin_cases[_i].rc,
	    "%s: %s", origin_cases[_i].origin, err.text);
}
END_TEST

START_TEST(value_in_file)
{
	static const struct {
		const char *content, *value;
	} cases[] = {
		{ "abc", "abc" }, { "abc\n", "abc" }, { "abc\r\n", "abc" },
		{ "abc\n\n", "abc\n" }, { " a'b#c \n", " a'b#c " },
		{ "\n", NULL },
	};

	for (int i = 0; i < COUNT(cases); i++) {
		put("v", cases[i].content, strlen(cases[i].content));
		if (load(CONFIG_CTL, "STRIPEHOOK_DB_NAME_FILE=v\n"
		    "STRIPEHOOK_LOG_FILE=log\nSTRIPEHOOK_USER=u\n"
		    "STRIPEHOOK_USER_FILE=\n") != 0) {
			ck_assert_ptr_null(cases[i].value);
			continue;
		}
		ck_assert_str_eq(cfg.db_name, cases[i].value);
		ck_assert_str_eq(cfg.log_file, "log");
		ck_assert_str_eq(cfg.user, "u");
		config_free(&cfg);
	}
	put("v", "a\0b", 3);
	ck_assert_int_eq(load(CONFIG_CTL, "STRIPEHOOK_LOG_FILE_FILE=v"), -1);
	ck_has(err.text, "NUL byte");
	put("v", "whsec_a\nwhsec", 13);
	ck_assert_int_eq(load(CONFIG_CTL, "STRIPE_WEBHOOK_SECRET_FILE=v"), 0);
	ck_assert_str_eq(cfg.webhook_secrets.list[0].text, "whsec_a\nwhsec");
}
END_TEST

START_TEST(binary_and_missing_files)
{
	static const char *const files[] = { "f", "none" };

	put("f", "A=1\nB=\0\nSTRIPEHOOK_DB_PORT=1\n", 29);
	ck_assert_int_eq(config_load(&cfg, CONFIG_CTL, files, 2, &err, &notes),
	    -1);
	ck_has(err.text, "f:2: there is a NUL byte");
	ck_has(err.text, "none: cannot read: No such file");
	ck_assert_uint_eq(err.count, 2);
}
END_TEST

START_TEST(missing)
{
	ck_assert_int_eq(load(CONFIG_DAEMON, "STRIPE_WEBHOOK_SECRET=\n"), -1);
	ck_assert_uint_eq(err.count, 3);
	ck_has(err.text, "STRIPE_WEBHOOK_SECRET: is not set. Put "
	    "STRIPE_WEBHOOK_SECRET=... into f, or set "
	    "STRIPE_WEBHOOK_SECRET_FILE");
	ck_has(err.text, "STRIPEHOOK_DB_PASSWORD: is not set");
	ck_has(err.text, "STRIPEHOOK_STATUS_DB_PASSWORD: is not set");
	ck_assert_int_eq(load(CONFIG_CTL, ""), 0);
}
END_TEST

START_TEST(all_at_once)
{
	ck_assert_int_eq(load(CONFIG_DAEMON, "STRIPEHOOK_DB_PORT=x\n"
	    "STRIPEHOOK_FOO=1\nSTRIPEHOOK_BATCH_MAX=0\n"), -1);
	ck_assert_uint_eq(err.count, 6);
	ck_assert_ptr_null(cfg.log_file);
}
END_TEST

START_TEST(defaults)
{
	ck_assert_int_eq(load(CONFIG_DAEMON, MUST), 0);
	ck_assert_str_eq(notes.text, "");
	ck_assert_str_eq(cfg.db_user, "stripehook_ingest");
	ck_assert_int_eq(cfg.db_port, 3306);
	ck_assert_int_eq(cfg.log_level, LOG_INFO);
	ck_assert_int_eq((int)cfg.livemode, LIVEMODE_ANY);
	ck_assert_uint_eq(cfg.user_metadata_keys.n, 1);
	ck_assert_str_eq(cfg.user_metadata_keys.s[0], "user_id");
	ck_assert_uint_eq(cfg.db_host.n, 0);
	ck_assert_ptr_null(cfg.log_file);
}
END_TEST

START_TEST(daemon_loads_nothing_of_ctl)
{
	ck_assert_int_eq(load(CONFIG_DAEMON, MUST
	    "STRIPE_SECRET_KEY=nonsense\nSTRIPE_SECRET_KEY_FILE=none\n"
	    "STRIPEHOOK_OWNER_DB_PASSWORD=x\n"
	    "STRIPEHOOK_OWNER_DB_USER=x\n"), 0);
	ck_assert_ptr_null(cfg.secret_key);
	ck_assert_ptr_null(cfg.owner_db_password);
	ck_assert_ptr_null(cfg.owner_db_user);
	config_free(&cfg);
	ck_assert_int_eq(load(CONFIG_CTL, "STRIPE_SECRET_KEY=rk_1\n"), 0);
	ck_assert_str_eq(cfg.secret_key, "rk_1");
	ck_assert_str_eq(cfg.owner_db_user, "stripehook_owner");
}
END_TEST

START_TEST(environment_wins)
{
	setenv("STRIPEHOOK_DB_NAME", " env ", 1);
	setenv("STRIPEHOOK_DB_USER", "same", 1);
	setenv("STRIPEHOOK_USER", "", 1);
	setenv("STRIPEHOOK_SERVICE_PORT", "tcp://10.0.0.1", 1);
	setenv("STRIPE_WEBHOOK_SECERT", "whsec_SEKRET", 1);
	setenv("STRIPEHOOK_CONFIG", "none", 1);
	ck_assert_int_eq(load(CONFIG_CTL, "STRIPEHOOK_DB_NAME=file\n"
	    "STRIPEHOOK_DB_USER=same\nSTRIPEHOOK_USER=u\n"), 0);
	ck_assert_str_eq(cfg.db_name, " env ");
	ck_assert_ptr_null(cfg.user);
	ck_has(notes.text, "STRIPEHOOK_DB_NAME: the environment's value wins "
	    "over f:1; a reload can't change it\n");
	ck_has(notes.text, "environment: STRIPEHOOK_SERVICE_PORT: is not a "
	    "setting and ignored");
	ck_has(notes.text, "did you mean STRIPE_WEBHOOK_SECRET?");
	ck_has(notes.text, "STRIPEHOOK_USER: the environment's value wins");
	ck_assert_uint_eq(notes.count, 4);
	ck_assert_ptr_null(strstr(notes.text, "SEKRET"));
}
END_TEST

START_TEST(environment_errors)
{
	put("v", "x", 1);
	setenv("STRIPEHOOK_DB_PORT", "tcp://10.0.0.1", 1);
	setenv("STRIPEHOOK_DB_NAME", "a", 1);
	setenv("STRIPEHOOK_DB_NAME_FILE", "v", 1);
	ck_assert_int_eq(load(CONFIG_CTL, ""), -1);
	ck_has(err.text, "environment: STRIPEHOOK_DB_PORT: 'tcp://10.0.0.1'");
	ck_has(err.text, "is set with and without _FILE");
	unsetenv("STRIPEHOOK_DB_PORT");
	unsetenv("STRIPEHOOK_DB_NAME");
	ck_assert_int_eq(load(CONFIG_CTL, "STRIPEHOOK_DB_NAME=file"), 0);
	ck_assert_str_eq(cfg.db_name, "x");
}
END_TEST

START_TEST(later_file_wins)
{
	static const char *const files[] = { "f", "g" };

	put("f", "STRIPEHOOK_DB_NAME=f\nSTRIPEHOOK_DB_USER_FILE=none\n"
	    "STRIPEHOOK_USER=u\nSTRIPEHOOK_DB_PORT=x\n", 88);
	put("g", "STRIPEHOOK_DB_NAME=g\nSTRIPEHOOK_DB_USER=u\n"
	    "STRIPEHOOK_USER=\nSTRIPEHOOK_DB_PORT=1\n", 80);
	ck_assert_msg(config_load(&cfg, CONFIG_CTL, files, 2, &err, &notes) ==
	    0, "%s", err.text);
	ck_assert_str_eq(cfg.db_name, "g");
	ck_assert_str_eq(cfg.db_user, "u");
	ck_assert_ptr_null(cfg.user);
	ck_assert_int_eq(cfg.db_port, 1);
	ck_assert_str_eq(notes.text, "");
}
END_TEST

START_TEST(usual_files)
{
	put("g", "STRIPEHOOK_DB_NAME=g\n", 21);
	put(".env", "STRIPEHOOK_DB_NAME=dot\nSTRIPE_PRICE_ID=x\n", 41);
	ck_assert_int_eq(mkdir("var", 0700), 0);
	put("var/run.env", "STRIPEHOOK_DB_NAME=r\nSTRIPEHOOK_USER=r\n", 39);
	ck_assert_int_eq(config_load(&cfg, CONFIG_CTL, NULL, 0, &err, &notes),
	    0);
	ck_assert_str_eq(cfg.db_name, "dot");
	ck_assert_str_eq(cfg.user, "r");
	config_free(&cfg);
	setenv("STRIPEHOOK_CONFIG", "g", 1);
	ck_assert_int_eq(config_load(&cfg, CONFIG_CTL, NULL, 0, &err, &notes),
	    0);
	ck_assert_str_eq(cfg.db_name, "g");
	ck_assert_ptr_null(cfg.user);
}
END_TEST

START_TEST(notes_on_files)
{
	static const char *const files[] = { "f" };

	put("f", MUST, strlen(MUST));
	ck_assert_int_eq(chmod("f", 0644), 0);
	ck_assert_int_eq(config_load(&cfg, CONFIG_CTL, files, 1, &err, &notes),
	    0);
	ck_has(notes.text, "f: holds secrets, and everybody may read it");
	config_free(&cfg);
	ck_assert_int_eq(load(CONFIG_CTL, "STRIPEHOOK_USER=a\n"
	    "STRIPEHOOK_USER=b"), 0);
	ck_has(notes.text, "f:2: STRIPEHOOK_USER: wins over the same in "
	    "line 1");
	ck_assert_uint_eq(notes.count, 1);
}
END_TEST

/* A forgotten quote of another program's line must not hide ours. */
START_TEST(others_lines)
{
	ck_assert_msg(load(CONFIG_CTL, "A=\"open\n"
	    "STRIPEHOOK_DB_NAME=\"mine\"\n"
	    "PEM='-----BEGIN\nx\n-----END'\n"
	    "B='x'y\nSTRIPE_PRICE_ID=price_1\nDJANGO_DEBUG=\n"
	    "STRIPEHOOK_USER=u\n") == 0, "%s", err.text);
	ck_assert_str_eq(cfg.db_name, "mine");
	ck_assert_str_eq(cfg.user, "u");
	ck_assert_uint_eq(notes.count, 0);
	config_free(&cfg);
	ck_assert_int_eq(load(CONFIG_CTL, "PEM='a\nb\n'\nbad\n"), -1);
	ck_has(err.text, "f:4: a line must be");
}
END_TEST

START_TEST(socket_paths)
{
	char text[256], path[108 + 1];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	snprintf(text, sizeof(text), "STRIPEHOOK_STATUS_SOCKET=%s", path);
	ck_assert_int_eq(load(CONFIG_CTL, text), -1);
	ck_has(err.text, "108 bytes long; a unix socket's may have 107");
	path[107] = '\0';
	snprintf(text, sizeof(text), "STRIPEHOOK_STATUS_SOCKET=%s", path);
	ck_assert_int_eq(load(CONFIG_CTL, text), 0);
}
END_TEST

START_TEST(fixed)
{
	struct config other;

	ck_assert_int_eq(load(CONFIG_CTL, "STRIPEHOOK_USER=a\n"
	    "STRIPEHOOK_INGEST_SOCKET=/a\nSTRIPEHOOK_TOLERANCE=1\n"), 0);
	other = cfg;
	ck_assert_int_eq(load(CONFIG_CTL, "STRIPEHOOK_INGEST_SOCKET=/a\n"
	    "STRIPEHOOK_STATUS_SOCKET=/b\n"), 0);
	config_fixed_diff(&other, &cfg, &err);
	ck_assert_uint_eq(err.count, 2);
	ck_has(err.text, "STRIPEHOOK_USER: ");
	ck_has(err.text, "STRIPEHOOK_STATUS_SOCKET: ");
	err_reset(&err);
	config_fixed_diff(&cfg, &cfg, &err);
	ck_assert_uint_eq(err.count, 0);
	config_free(&other);
	config_free(&other);
}
END_TEST

static char *
printed(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	print(out);
	fclose(out);
	return text;
}

/* Which of two settings differ is told for every type of them. */
START_TEST(equal)
{
	static const char *const said[] = {
		"STRIPEHOOK_DB_HOST=a,b", "STRIPEHOOK_DB_HOST=a,c",
		"STRIPEHOOK_DB_HOST=a", "STRIPEHOOK_DB_NAME=x",
		"STRIPEHOOK_TOLERANCE=7", "STRIPEHOOK_LIVEMODE=live",
		"STRIPEHOOK_LOG_LEVEL=debug", "STRIPEHOOK_LOG_FORMAT=json",
		"STRIPE_WEBHOOK_SECRET=whsec_a,whsec_b",
		"STRIPE_WEBHOOK_SECRET=whsec_a,test:whsec_b",
		"STRIPE_WEBHOOK_SECRET=whsec_a,whsec_c",
		"STRIPE_WEBHOOK_SECRET=whsec_a",
	};
	struct config all[COUNT(said)];
	char text[256];

	for (int i = 0; i < COUNT(said); i++) {
		snprintf(text, sizeof(text), MUST "%s\n", said[i]);
		ck_assert_int_eq(load(CONFIG_DAEMON, text), 0);
		all[i] = cfg;
	}
	for (int i = 0; i < COUNT(said); i++) {
		size_t len = strcspn(said[i], "=");
		const struct setting *s = setting_find(said[i], len);

		for (int k = 0; k < COUNT(said); k++)
			if (strncmp(said[i], said[k], len + 1) == 0)
				ck_assert_msg(setting_equal(&all[i], &all[k],
				    s) == (i == k), "%s and %s", said[i],
				    said[k]);
	}
	for (int i = 0; i < COUNT(said); i++)
		config_free(&all[i]);
	cfg = (struct config){ .db_port = 0 };
}
END_TEST

START_TEST(sample_loads)
{
	char *sample = printed(config_print_sample);

	ck_assert_msg(load(CONFIG_CTL, sample) == 0, "%s", err.text);
	ck_assert_uint_eq(notes.count, 0);
	config_free(&cfg);
	ck_assert_int_eq(load(CONFIG_DAEMON, sample), -1);
	ck_assert_uint_eq(err.count, 3);
	/* So do the defaults that it shows. */
	for (char *p = sample; (p = strstr(p, "\n#STRIPE")) != NULL; )
		memmove(p + 1, p + 2, strlen(p + 1));
	ck_assert_msg(load(CONFIG_CTL, sample) == 0, "%s", err.text);
	free(sample);
}
END_TEST

START_TEST(printed_complete)
{
	static const char *const keys[] = {
#define SETTING(member, key, type, dflt, flags, min, max, help) key,
#include "base/config.tbl"
#undef SETTING
	};
	char *texts[] = { printed(config_print_help),
	    printed(config_print_sample), printed(config_print_man) };

	for (int i = 0; i < COUNT(texts); i++) {
		for (int k = 0; k < COUNT(keys); k++)
			ck_has(texts[i], keys[k]);
		for (char *p = texts[i]; *p != '\0'; p += strcspn(p, "\n") + 1)
			ck_assert_uint_le(strcspn(p, "\n"), 80);
		free(texts[i]);
	}
	/* Every heading of the sample has found its setting. */
	texts[0] = printed(config_print_sample);
	ck_has(texts[0], "---- Stripe ----");
	ck_has(texts[0], "---- Database ----");
	ck_has(texts[0], "---- Processes and sockets ----");
	ck_has(texts[0], "---- Deliveries and the status route ----");
	ck_has(texts[0], "---- Log ----");
	ck_has(texts[0], "---- Development server ----");
	free(texts[0]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, lines, 0, COUNT(line_cases));
	tcase_add_loop_test(tc, errors, 0, COUNT(error_cases));
	tcase_add_loop_test(tc, secrets, 0, COUNT(secret_cases));
	tcase_add_loop_test(tc, origins, 0, COUNT(origin_cases));
	tcase_add_test(tc, value_in_file);
	tcase_add_test(tc, binary_and_missing_files);
	tcase_add_test(tc, missing);
	tcase_add_test(tc, all_at_once);
	tcase_add_test(tc, defaults);
	tcase_add_test(tc, daemon_loads_nothing_of_ctl);
	tcase_add_test(tc, environment_wins);
	tcase_add_test(tc, environment_errors);
	tcase_add_test(tc, later_file_wins);
	tcase_add_test(tc, usual_files);
	tcase_add_test(tc, notes_on_files);
	tcase_add_test(tc, others_lines);
	tcase_add_test(tc, socket_paths);
	tcase_add_test(tc, fixed);
	tcase_add_test(tc, equal);
	tcase_add_test(tc, sample_loads);
	tcase_add_test(tc, printed_complete);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
