/* stripehookctl trigger: makes sample events and delivers or prints them. */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/mem.h"
#include "ctl/ctl.h"
#include "ctl/trigger_deliver.h"
#include "ctl/trigger_options.h"
#include "ctl/trigger_plan.h"
#include "ctl/trigger_post.h"
#include "ctl/trigger_target.h"

enum { STALE_BY = 60 };		/* seconds beyond the tolerance */

/* What no endpoint has. */
static const char wrong_secret[] = "whsec_of_another_endpoint_0123456789abcd";

static void
list_types(bool json)
{
	for (size_t i = 0; i < sample_ntypes(); i++)
		printf(json ? "%s\"%s\"" : "%s%s\n",
		    !json ? "" : i == 0 ? "[" : ",", sample_type(i));
	if (json)
		puts("]");
}

/* Fills what signs. Returns CTL_DONE or CTL_UNREACHABLE. */
static int
signing(struct deliver_options *to, const struct trigger_options *o,
    const struct config *cfg)
{
	const struct signing_secret *secret;

	to->connections = o->connections;
	to->rate = o->rate;
	to->stale = o->stale ? cfg->tolerance + STALE_BY : 0;
	if (o->wrong_secret) {
		to->secret = wrong_secret;
		to->secret_len = sizeof(wrong_secret) - 1;
		return CTL_DONE;
	}
	if ((secret = post_secret(&cfg->webhook_secrets)) == NULL)
		return CTL_UNREACHABLE;
	to->secret = secret->text;
	to->secret_len = secret->len;
	return CTL_DONE;
}

/* Without --seed everything is new, and happened just now. */
static void
choose_seed(struct trigger_options *o)
{
	uint32_t seed;

	if (o->seeded)
		return;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (uint32_t)clock_wall_us();
	o->seed = seed;
}

static void
tell_seed(const struct trigger_options *o)
{
	if (!o->seeded)
		fprintf(stderr, "seed %" PRIu64 "\n", o->seed);
}

/* One JSON text after another, as bodies are. */
static void
print_events(struct plan *plan, const struct deliver_options *sign)
{
	char line[SIGNATURE_LINE_MAX];
	struct plan_event *ev;

	while ((ev = plan_next(plan)) != NULL) {
		if (sign != NULL) {
			post_sign(line, &ev->ev, sign);
			puts(line);
		}
		fwrite(ev->ev.body, 1, ev->ev.len, stdout);
		putchar('\n');
		plan_release(ev);
	}
}

static void
print_result(const struct deliver_result *r, uint64_t events)
{
	const char *sep = ":";

	printf("%" PRIu64 " event%s, %" PRIu64 " deliver%s", events,
	    events == 1 ? "" : "s", r->deliveries,
	    r->deliveries == 1 ? "y" : "ies");
	for (size_t i = 0; i < STATUS_MAX; i++) {
		if (r->answered[i] == 0)
			continue;
		printf("%s %" PRIu64 " answered %zu", sep, r->answered[i], i);
		sep = ",";
	}
	printf("%s %" PRIu64 " failed", sep, r->failed);
	if (r->retries > 0)
		printf(", %" PRIu64 " tried again", r->retries);
	printf(", %.0f/s\n", (double)r->deliveries / r->seconds);
}

static void
print_result_json(const struct deliver_result *r, uint64_t events,
    uint64_t seed)
{
	const char *sep = "";

	printf("{\"seed\":%" PRIu64 ",\"events\":%" PRIu64 ",\"deliveries\":%"
	    PRIu64 ",\"answered\":{", seed, events, r->deliveries);
	for (size_t i = 0; i < STATUS_MAX; i++) {
		if (r->answered[i] == 0)
			continue;
		printf("%s\"%zu\":%" PRIu64, sep, i, r->answered[i]);
		sep = ",";
	}
	printf("},\"failed\":%" PRIu64 ",\"retries\":%" PRIu64
	    ",\"seconds\":%.3f,\"rate\":%.0f}\n", r->failed, r->retries,
	    r->seconds, (double)r->deliveries / r->seconds);
}

/* What a terminal should not be shown becomes '?'. */
static void
print_refusal(const char *answer)
{
	fputs("stripehookctl: the first refusal says: ", stderr);
	for (; *answer != '\0'; answer++)
		fputc((unsigned char)*answer < ' ' || *answer == 0x7f ? '?' :
		    *answer, stderr);
	fputc('\n', stderr);
}

static int
deliver_events(struct plan *plan, const struct target *target,
    const struct deliver_options *to, const struct trigger_options *o)
{
	struct deliver_result *r = mem_calloc(1, sizeof(*r));
	int status;

	tell_seed(o);
	deliver(r, plan, target, to);
	if (o->json)
		print_result_json(r, plan_events(plan), o->seed);
	else
		print_result(r, plan_events(plan));
	if (r->refusal[0] != '\0')
		print_refusal(r->refusal);
	if (r->unreachable[0] != '\0')
		fprintf(stderr, "stripehookctl: %s: %s; is the server "
		    "running? (scripts/run; --to says where)\n", target->url,
		    r->unreachable);
	status = r->unreachable[0] != '\0' ? CTL_UNREACHABLE :
	    r->failed > 0 ? CTL_NO : CTL_DONE;
	free(r);
	return status;
}

static int
print_plan(struct plan *plan, const struct trigger_options *o,
    const struct config *cfg)
{
	struct deliver_options sign = { .secret = NULL };

	if (!o->header) {
		tell_seed(o);
		print_events(plan, NULL);
		return CTL_DONE;
	}
	if (signing(&sign, o, cfg) != CTL_DONE)
		return CTL_UNREACHABLE;
	tell_seed(o);
	print_events(plan, &sign);
	return CTL_DONE;
}

static int
deliver_plan(struct plan *plan, const struct trigger_options *o,
    const struct config *cfg)
{
	struct deliver_options to = { .secret = NULL };
	struct target target = { .url = NULL };
	int rc;

	if ((rc = target_find(&target, o->to, cfg->http_port,
	    o->i_mean_it)) != CTL_DONE)
		return rc;
	if (!target.loopback)
		fputs("stripehookctl: note: the whsec_ of a live endpoint "
		    "looks like any other; label it 'live:' in "
		    "STRIPE_WEBHOOK_SECRET, and it is never used here\n",
		    stderr);
	if ((rc = signing(&to, o, cfg)) == CTL_DONE)
		rc = deliver_events(plan, &target, &to, o);
	target_free(&target);
	return rc;
}

static int
run(struct trigger_options *o, const struct config *cfg)
{
	struct sample_options sample_opt = { .shape = o->shape,
	    .livemode = o->live, .same_second = o->same_second,
	    .user = o->user, .born = (int64_t)o->born };
	struct plan_options plan_opt = { .types = o->types,
	    .ntypes = o->ntypes, .lives = o->lives, .nlives = o->nlives,
	    .count = o->count, .shuffle = o->shuffle,
	    .duplicate = o->duplicate };
	struct sample *sample;
	struct plan *plan;
	int rc;

	choose_seed(o);
	sample_opt.seed = plan_opt.seed = o->seed;
	if (!o->seeded || o->born != 0)
		sample_opt.now = clock_wall_us() / 1000000;
	if (cfg->user_metadata_keys.n > 0)
		sample_opt.user_key = cfg->user_metadata_keys.s[0];
	sample = sample_new(&sample_opt);
	plan = plan_new(&plan_opt, sample);
	rc = o->print ? print_plan(plan, o, cfg) : deliver_plan(plan, o, cfg);
	plan_free(plan);
	sample_free(sample);
	return rc;
}

/* With the settings loaded. */
static int
with_config(struct trigger_options *o)
{
	struct config cfg;
	int rc;

	if (ctl_config(&cfg) != 0)
		return CTL_UNREACHABLE;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	rc = run(o, &cfg);
	curl_global_cleanup();
	config_free(&cfg);
	return rc;
}

int
ctl_trigger(int argc, char **argv)
{
	struct trigger_options o;
	int rc = trigger_options_parse(&o, argc, argv);

	if (rc == CTL_DONE && o.ntypes == 0 && o.nlives == 0)
		list_types(o.json);
	else if (rc == CTL_DONE)
		rc = with_config(&o);
	trigger_options_free(&o);
	return rc;
}
