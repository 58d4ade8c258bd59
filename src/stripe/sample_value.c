/* What templates' variables stand for: people, plans, times. */
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stripe/sample_int.h"

enum { SHOP_AGE = 200 * DAY };

static const struct person {
	const char *name, *mailbox;
} people[] = {
	{ "Jenny Rosen", "jenny.rosen" },
	{ "Ada Møller", "ada.moller" },
	{ "Zoë Contreras", "zoe" },
	{ "Björn Håkansson", "bjorn.h" },
	{ "Chidi Okafor", "c.okafor" },
	{ "山田 花子", "hanako.yamada" },
	{ "Priya Raghunathan", "priya" },
	{ "Smith & Sons Ltd", "accounts" },
	{ "Łukasz Wiśniewski", "lukasz.w" },
	{ "María José Núñez", "mj.nunez" },
	{ "Nguyễn Văn An", "an.nguyen" },
	{ "Олена Шевченко", "olena" },
};

enum { NPEOPLE = sizeof(people) / sizeof(people[0]) };

const struct sample_plan sample_plans[SAMPLE_PLANS] = {
	{ "Basic", "For a start", "basic", "Basic monthly", "basic_monthly",
	    900, "usd", "us_bank_account",
	    "1 × Basic (at $9.00 / month)" },
	{ "Pro", "Everything in Basic, plus reports & API access", "pro",
	    "Pro monthly", "pro_monthly", 1500, "usd", "us_bank_account",
	    "1 × Pro (at $15.00 / month)" },
	{ "Équipe", "Pour cinq personnes", "team", "Team monthly",
	    "team_monthly", 4900, "eur", "sepa_debit",
	    "1 × Équipe (at €49.00 / month)" },
	{ "スタンダード", "国内のお客様向け", "standard",
	    "Standard monthly", "standard_monthly", 1200, "jpy", "konbini",
	    "1 × スタンダード (at ¥1,200 / month)" },
	{ "Studio", "Research & development", "studio", "Studio monthly",
	    "studio_monthly", 12950, "gbp", "bacs_debit",
	    "1 × Studio (at £129.50 / month)" },
};

int64_t
sample_month_after(int64_t t)
{
	time_t time = (time_t)t;
	struct tm tm;
	int day;

	gmtime_r(&time, &tm);
	day = tm.tm_mday;
	tm.tm_mon++;
	time = timegm(&tm);
	/* The 31st of a shorter month is its last day. */
	gmtime_r(&time, &tm);
	if (tm.tm_mday < day)
		time -= (time_t)tm.tm_mday * DAY;
	return time;
}

int64_t
sample_catalogue_time(const struct sample *s)
{
	if (s->own_catalogue)
		return s->start;
	return (s->opt.now != 0 ? s->opt.now : SAMPLE_BASE) -
	    SHOP_AGE + (int64_t)s->plan * DAY;
}

static struct json_object *
text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static struct json_object *
text(const char *format, ...)
{
	char buf[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(buf, sizeof(buf), format, ap);
	va_end(ap);
	return json_object_new_string(buf);
}

static struct json_object *
email(struct sample *s)
{
	return text("%s.%06x@example.com",
	    people[sample_number(s, "person") % NPEOPLE].mailbox,
	    (unsigned)(sample_number(s, "email") & 0xffffff));
}

static struct json_object *
person_name(struct sample *s)
{
	return text("%s", people[sample_number(s, "person") % NPEOPLE].name);
}

static struct json_object *
phone(struct sample *s)
{
	return text("+155555501%02u",
	    (unsigned)(sample_number(s, "phone") % 100));
}

static struct json_object *
user(struct sample *s)
{
	if (s->opt.user != NULL)
		return text("%s", s->opt.user);
	return text("%u", (unsigned)(sample_number(s, "user") % 1000000) + 1);
}

/* Metadata of a customer: who the user is. */
static struct json_object *
owner(struct sample *s)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, s->opt.user_key, user(s));
	return json;
}

static struct json_object *
metadata(struct sample *s)
{
	struct json_object *json = owner(s);

	json_object_object_add(json, "plan_code",
	    text("%s", sample_plans[s->plan].tier));
	return json;
}

static struct json_object *
invoice_prefix(struct sample *s)
{
	return text("%08X", (unsigned)sample_number(s, "prefix"));
}

static struct json_object *
invoice_number(struct sample *s)
{
	struct json_object *prefix = invoice_prefix(s), *number;

	number = text("%s-%04d", json_object_get_string(prefix),
	    s->branch[0] - 'A' + 1);
	json_object_put(prefix);
	return number;
}

/* As in "0e0adfe8-d09e-4438-9921-74839b687fe2". */
static struct json_object *
idempotency_key(struct sample *s)
{
	uint64_t a = sample_event_number(s, "uuid 1");
	uint64_t b = sample_event_number(s, "uuid 2");

	return text("%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
	    (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
	    (unsigned)(b >> 48 & 0x3fff) | 0x8000,
	    (unsigned long long)(b & 0xffffffffffff));
}

static struct json_object *
live(struct sample *s)
{
	return json_object_new_boolean(s->opt.livemode);
}

static struct json_object *
mode(struct sample *s)
{
	return text("%s", s->opt.livemode ? "live" : "test");
}

static struct json_object *
amount(struct sample *s)
{
	return json_object_new_int(sample_plans[s->plan].amount);
}

static struct json_object *
minus(struct sample *s)
{
	return json_object_new_int(-sample_plans[s->plan].amount);
}

static struct json_object *
decimal(struct sample *s)
{
	return text("%d", sample_plans[s->plan].amount);
}

/* Of a first, partial refund. */
static struct json_object *
third(struct sample *s)
{
	return json_object_new_int(sample_plans[s->plan].amount / 3);
}

static struct json_object *
rest(struct sample *s)
{
	int all = sample_plans[s->plan].amount;

	return json_object_new_int(all - all / 3);
}

static struct json_object *
catalogue_time(struct sample *s)
{
	return json_object_new_int64(sample_catalogue_time(s));
}

static struct json_object *
month(struct sample *s)
{
	return json_object_new_int64(sample_month_after(s->now));
}

static struct json_object *
before(struct sample *s)
{
	return json_object_new_int64(s->before);
}

#define PLAN_TEXT(member) \
static struct json_object * \
plan_##member(struct sample *s) \
{ \
	return text("%s", sample_plans[s->plan].member); \
}

PLAN_TEXT(product)
PLAN_TEXT(description)
PLAN_TEXT(tier)
PLAN_TEXT(nickname)
PLAN_TEXT(lookup_key)
PLAN_TEXT(currency)
PLAN_TEXT(debit)
PLAN_TEXT(line)

static const struct {
	const char *name;
	struct json_object *(*make)(struct sample *s);
} values[] = {
	{ "amount", amount },
	{ "before", before },
	{ "catalogue", catalogue_time },
	{ "currency", plan_currency },
	{ "debit", plan_debit },
	{ "decimal", decimal },
	{ "email", email },
	{ "idempotency_key", idempotency_key },
	{ "line", plan_line },
	{ "live", live },
	{ "lookup_key", plan_lookup_key },
	{ "metadata", metadata },
	{ "minus", minus },
	{ "mode", mode },
	{ "month", month },
	{ "name", person_name },
	{ "nickname", plan_nickname },
	{ "number", invoice_number },
	{ "owner", owner },
	{ "phone", phone },
	{ "prefix", invoice_prefix },
	{ "product", plan_product },
	{ "product_text", plan_description },
	{ "rest", rest },
	{ "third", third },
	{ "tier", plan_tier },
	{ "user", user },
};

/* A misspelt variable is a fault of ours, which the unit test meets. */
struct json_object *
sample_value(struct sample *s, const char *name)
{
	char id[SAMPLE_ID_MAX];

	if (strncmp(name, "now", 3) == 0)
		return json_object_new_int64(s->now +
		    strtoll(name + 3, NULL, 10));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i].name, name) == 0)
			return values[i].make(s);
	sample_id(s, name, id);
	return json_object_new_string(id);
}
