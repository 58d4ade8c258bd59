/*
 * The demo's requests. The page that it serves alone may drive it: a page of
 * another site, also one whose name was made to lead to this machine, is
 * refused.
 */
#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/demo_int.h"
#include "http/reply.h"
#include "http/request.h"
#include "stripe/sample.h"

enum verdict {
	V_OK, V_HOST, V_ORIGIN, V_TYPE, V_SCENARIO, V_BUSY, V_SETTINGS,
	V_DATABASE, V__MAX
};

static const struct {
	int status;
	const char *code, *message;
} verdicts[V__MAX] = {
	[V_HOST] = { 403, "bad_host", "Open the page by the name localhost, "
	    "or by an address." },
	[V_ORIGIN] = { 403, "bad_origin", "Only the demo's own page may ask "
	    "this." },
	[V_TYPE] = { 400, "bad_type", "The content type must be "
	    "application/json." },
	[V_SCENARIO] = { 400, "bad_scenario", "The body must be "
	    "{\"scenario\":\"NAME\"} with the name of a lifecycle of "
	    "stripehookctl trigger." },
	[V_BUSY] = { 429, "busy", "Too many payments at once; wait until one "
	    "is over." },
	[V_SETTINGS] = { 503, "settings", "The settings can't be read; see "
	    "the demo's log." },
	[V_DATABASE] = { 503, "database", "The database can't be reached." },
};

static const char *
param(FCGX_Request *r, const char *name)
{
	return FCGX_GetParam(name, r->envp);
}

/* A name could be another's that leads here: localhost and addresses can't. */
static bool
is_own_host(const char *host)
{
	struct in6_addr address;
	char name[256];
	size_t len = host != NULL ? strcspn(host, ":") : 0;

	if (host != NULL && host[0] == '[')
		return true;
	if (len == 0 || len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return strcasecmp(name, "localhost") == 0 ||
	    (len > 10 && strcasecmp(name + len - 10, ".localhost") == 0) ||
	    inet_pton(AF_INET, name, &address) == 1;
}

/* Programs other than browsers send neither header. */
static bool
is_same_origin(FCGX_Request *r)
{
	const char *site = param(r, "HTTP_SEC_FETCH_SITE");
	const char *origin = param(r, "HTTP_ORIGIN");
	const char *host = param(r, "HTTP_HOST");

	if (site != NULL && strcmp(site, "same-origin") != 0)
		return false;
	if (origin == NULL)
		return true;
	origin = strstr(origin, "://");
	return origin != NULL && strcasecmp(origin + 3, host) == 0;
}

/* What a form of another page can send is not of this type. */
static bool
is_json(FCGX_Request *r)
{
	const char *type = param(r, "CONTENT_TYPE");

	return type != NULL && strncasecmp(type, "application/json", 16) == 0 &&
	    (type[16] == '\0' || type[16] == ';');
}

static void
answer(FCGX_Request *r, int status, struct json_object *json)
{
	const char *text = json_object_to_json_string_ext(json,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	struct reply reply = { .status = status, .type = "application/json",
	    .headers = "Cache-Control: no-store\r\n", .body = text,
	    .body_len = strlen(text) };

	(void)reply_send(r, &reply);
	json_object_put(json);
}

static void
refuse(FCGX_Request *r, enum verdict v)
{
	struct json_object *o = json_object_new_object();
	struct json_object *e = json_object_new_object();

	out_text(e, "code", verdicts[v].code);
	out_text(e, "message", verdicts[v].message);
	json_object_object_add(o, "error", e);
	answer(r, verdicts[v].status, o);
}

/* Whatever the file says by now: scripts/listen changes the secret. */
static int
read_settings(struct demo *d)
{
	struct config cfg;

	if (ctl_config(&cfg) != 0)
		return -1;
	config_free(&d->cfg);
	d->cfg = cfg;
	return 0;
}

/* Puts what the browser is told into *told. */
static enum verdict
begin_story(struct demo *d, const struct request *req,
    struct json_object **told)
{
	struct json_object *json = json_tokener_parse(req->body);
	struct json_object *name = NULL;
	struct sample_events events = { .list = NULL };
	enum verdict v = V_SCENARIO;

	if (json_object_is_type(json, json_type_object) &&
	    json_object_object_get_ex(json, "scenario", &name) &&
	    json_object_is_type(name, json_type_string))
		*told = story_make(&events, json_object_get_string(name),
		    &d->cfg, d->program);
	if (*told != NULL)
		v = player_add(d->player, &events) ? V_OK : V_BUSY;
	sample_events_free(&events);
	json_object_put(json);
	return v;
}

static enum verdict
post_payment(struct demo *d, FCGX_Request *r, const struct request *req)
{
	struct json_object *told = NULL;
	enum verdict v;

	if (!is_same_origin(r))
		return V_ORIGIN;
	if (!is_json(r))
		return V_TYPE;
	if (read_settings(d) != 0)
		return V_SETTINGS;
	if ((v = begin_story(d, req, &told)) == V_OK)
		answer(r, 200, told);
	else
		json_object_put(told);
	return v;
}

static enum verdict
get_events(struct demo *d, FCGX_Request *r, const struct request *req)
{
	struct err err = ERR_INIT;
	struct json_object *list = events_list(d, &err), *o;
	const char *fault = player_fault(d->player);

	(void)req;
	fputs(err.text, stderr);
	if (list == NULL)
		return V_DATABASE;
	o = json_object_new_object();
	json_object_object_add(o, "events", list);
	out_text(o, "program", d->program);
	out_text(o, "fault", fault[0] != '\0' ? fault : NULL);
	answer(r, 200, o);
	return V_OK;
}

static const struct route {
	const char *path, *method;
	enum verdict (*run)(struct demo *d, FCGX_Request *r,
	    const struct request *req);
} routes[] = {
	{ "/demo/payments", "POST", post_payment },
	{ "/demo/events", "GET", get_events },
};

static const struct route *
find_route(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

void
demo_serve(struct demo *d, FCGX_Request *r, struct obstack *mem)
{
	const struct route *route;
	struct request req;
	enum outcome out = request_read(&req, r, mem, DEMO_BODY_MAX);
	enum verdict v;

	route = find_route(req.path);
	if (out == OUT_OK && route == NULL)
		out = OUT_NOT_FOUND;
	else if (out == OUT_OK && strcmp(route->method, req.method) != 0)
		out = OUT_METHOD;
	if (out != OUT_OK) {
		(void)reply_outcome(r, out, route != NULL ? route->method :
		    "");
		return;
	}
	v = is_own_host(param(r, "HTTP_HOST")) ? route->run(d, r, &req) :
	    V_HOST;
	if (v != V_OK)
		refuse(r, v);
}
