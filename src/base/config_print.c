/* Prints the table of settings: as help, as a sample file, for the manual. */
#include "base/config.h"

#include <string.h>

#include "base/setting.h"
#include "base/wrap.h"

/* The headings of the sample file, each before the setting it begins with. */
static const struct {
	const char *key, *title;
} groups[] = {
	{ "STRIPE_WEBHOOK_SECRET", "Stripe" },
	{ "STRIPEHOOK_DB_HOST", "Database" },
	{ "STRIPEHOOK_INGEST_SOCKET", "Processes and sockets" },
	{ "STRIPEHOOK_TOLERANCE", "Deliveries and the status route" },
	{ "STRIPEHOOK_LOG_FILE", "Log" },
	{ "STRIPEHOOK_STATE_DIR", "Development server" },
};

/* Who alone reads a setting, or what it takes; by flag. */
static const struct {
	unsigned flag;
	const char *text;
} remarks[] = {
	{ REQUIRED, "Required." },
	{ CTL, "Not read by the daemon." },
	{ FIXED, "A reload can't change it." },
	{ SCRIPT, "Read by scripts/run alone." },
};

/* Help, bounds and remarks as one text. */
static void
describe(char text[1024], const struct setting *s)
{
	size_t len = (size_t)snprintf(text, 1024, "%s", s->help);

	if (s->type == SETTING_INT)
		len += (size_t)snprintf(text + len, 1024 - len,
		    " From %ld to %ld.", s->min, s->max);
	for (size_t i = 0; i < sizeof(remarks) / sizeof(remarks[0]); i++) {
		if ((s->flags & remarks[i].flag) != 0)
			len += (size_t)snprintf(text + len, 1024 - len, " %s",
			    remarks[i].text);
	}
}

void
config_print_help(FILE *out)
{
	char text[1024];

	for (size_t i = 0; i < SETTING__MAX; i++) {
		fprintf(out, "  %s", settings[i].key);
		if (settings[i].dflt != NULL)
			fprintf(out, " (default %s)", settings[i].dflt);
		putc('\n', out);
		describe(text, &settings[i]);
		wrap_print(out, "      ", text);
	}
}

static void
print_heading(FILE *out, const struct setting *s)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (strcmp(groups[i].key, s->key) == 0)
			fprintf(out, "\n# ---- %s ----\n", groups[i].title);
	}
}

void
config_print_sample(FILE *out)
{
	char text[1024];

	fputs("# Settings of stripehook, see stripehook.env(5): as\n"
	    "# /etc/stripehook/stripehook.env (owner root, group stripehook, "
	    "mode 0640),\n"
	    "# or as .env of a development server. What is commented out "
	    "shows the default.\n", out);
	for (size_t i = 0; i < SETTING__MAX; i++) {
		const struct setting *s = &settings[i];

		print_heading(out, s);
		putc('\n', out);
		describe(text, s);
		wrap_print(out, "# ", text);
		fprintf(out, "%s%s=%s\n", (s->flags & REQUIRED) != 0 ? "" : "#",
		    s->key, s->dflt != NULL ? s->dflt : "");
	}
}

/*
 * Text for mdoc(7), which wants each sentence on a line of its own, and no
 * line begun with a control character.
 */
static void
print_roff(FILE *out, const char *text)
{
	size_t column = 0, len;
	bool ended = false;

	for (; *text != '\0'; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		if (column > 0 && (ended || column + 1 + len > WRAP_WIDTH)) {
			putc('\n', out);
			column = 0;
		}
		if (column > 0)
			column += (size_t)fprintf(out, " ");
		else if (*text == '.' || *text == '\'')
			fputs("\\&", out);
		for (size_t i = 0; i < len; i++)
			fputs(text[i] == '\\' ? "\\e" : (char[]){ text[i], 0 },
			    out);
		column += len;
		ended = strchr(".?!", text[len - 1]) != NULL;
	}
	putc('\n', out);
}

void
config_print_man(FILE *out)
{
	char text[1024];

	for (size_t i = 0; i < SETTING__MAX; i++) {
		fprintf(out, ".It Ev %s\n", settings[i].key);
		describe(text, &settings[i]);
		print_roff(out, text);
		if (settings[i].dflt != NULL)
			fprintf(out, "The default is\n.Ql %s .\n",
			    settings[i].dflt);
	}
}
