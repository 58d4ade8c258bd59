/*
 * Settings: whatever stands in file and environment, a configuration is either
 * loaded whole, with every number within its bounds, or not at all and the
 * reason said; and what is said never holds a secret.
 *
 * Input: a byte of options; then the file's text; then, after a byte 0x01,
 * lines of the environment.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"
#include "base/err.h"
#include "base/setting.h"

enum { ENVIRONMENT_MAX = 16 };

/* Where it stands in the value of a secret alone, it must not be said. */
#define CANARY "Zq7Xw3Kv9Jp5"

static int file_fd;
static char file_path[40];

/* The file as the input has it. */
static void
put_file(struct fuzz_input text)
{
	MUST(ftruncate(file_fd, 0) == 0);
	MUST(pwrite(file_fd, text.p, text.len, 0) == (ssize_t)text.len);
}

static void
put_environment(struct fuzz_input in)
{
	clearenv();
	for (int i = 0; i < ENVIRONMENT_MAX && in.len > 0; i++) {
		char *line = fuzz_string(fuzz_until(&in, '\n'));
		char *value = strchr(line, '=');

		/* That one says where settings are. */
		if (value != NULL && value != line &&
		    strncmp(line, "STRIPEHOOK_CONFIG=", 18) != 0) {
			*value++ = '\0';
			MUST(setenv(line, value, 1) == 0);
		}
		free(line);
	}
}

static bool
is_secret(const char *key, size_t len)
{
	const struct setting *s = setting_find(key, len);

	return s != NULL && (s->flags & SECRET) != 0;
}

static size_t
count(const char *text, size_t len, const char *what)
{
	const char *at;
	size_t n = 0, step = strlen(what);

	for (; (at = memmem(text, len, what, step)) != NULL; n++) {
		len -= (size_t)(at - text) + step;
		text = at + step;
	}
	return n;
}

/* The key of a line, whatever else is wrong with it. */
static struct fuzz_input
line_key(struct fuzz_input line)
{
	static const char blanks[] = " \t\v\f", export[] = "export ";
	char *text = fuzz_string(line);
	size_t skip = strspn(text, blanks), len;

	if (strncmp(text + skip, export, strlen(export)) == 0)
		skip += strlen(export) + strspn(text + skip + strlen(export),
		    blanks);
	len = strcspn(text + skip, "= \t");
	free(text);
	return (struct fuzz_input){ line.p + skip, len };
}

/* Whether the canary stands in lines of secrets and nowhere else. */
static bool
canary_is_secret(struct fuzz_input text, struct fuzz_input env)
{
	size_t secret = 0, all = count(text.p, text.len, CANARY);
	struct fuzz_input line, key;

	if (all == 0 || count(env.p, env.len, CANARY) > 0)
		return false;
	while (text.len > 0) {
		line = fuzz_until(&text, '\n');
		key = line_key(line);
		if (is_secret(key.p, key.len))
			secret += count(line.p, line.len, CANARY);
	}
	return secret == all;
}

static void
check_loaded(const struct config *cfg, enum config_reader reader)
{
	for (size_t i = 0; i < SETTING__MAX; i++) {
		const struct setting *s = &settings[i];
		const char *member = (const char *)cfg + s->offset;
		long n;

		if (s->type != SETTING_INT || ((s->flags & CTL) != 0 &&
		    reader == CONFIG_DAEMON))
			continue;
		memcpy(&n, member, sizeof(n));
		MUST(n >= s->min && n <= s->max);
	}
	if (reader == CONFIG_CTL)
		return;
	MUST(cfg->webhook_secrets.n > 0 && cfg->db_password != NULL);
	for (size_t i = 0; i < cfg->webhook_secrets.n; i++)
		MUST(cfg->webhook_secrets.list[i].len > 0);
	MUST(cfg->secret_key == NULL && cfg->owner_db_password == NULL);
}

static void
check_empty(const struct config *cfg)
{
	static const struct config none;

	for (size_t i = 0; i < SETTING__MAX; i++)
		MUST(setting_equal(cfg, &none, &settings[i]));
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	file_fd = memfd_create("settings", MFD_CLOEXEC);
	MUST(file_fd >= 0);
	snprintf(file_path, sizeof(file_path), "/proc/self/fd/%d", file_fd);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input(data, size);
	enum config_reader reader = (fuzz_byte(&in) & 1) != 0 ? CONFIG_CTL :
	    CONFIG_DAEMON;
	struct fuzz_input text = fuzz_until(&in, '\1');
	const char *const files[] = { file_path };
	struct err err = ERR_INIT, notes = ERR_INIT;
	struct config cfg;
	bool secret;

	put_file(text);
	put_environment(in);
	secret = canary_is_secret(text, in);
	if (config_load(&cfg, reader, files, 1, &err, &notes) == 0) {
		MUST(err.count == 0);
		check_loaded(&cfg, reader);
	} else {
		MUST(err.count > 0 && err.len > 0);
		check_empty(&cfg);
	}
	if (secret) {
		MUST(strstr(err.text, CANARY) == NULL);
		MUST(strstr(notes.text, CANARY) == NULL);
	}
	config_free(&cfg);
	return 0;
}
