// SPDX-License-Identifier: Apache-2.0
/*
 * OpenFaaS: a function is invoked for the events in its `topic` annotation. Each function is a
 * target of its own, so a failing function does not affect the others.
 * https://docs.openfaas.com/reference/rest-api
 */
#include <stdlib.h>
#include <string.h>

#include "event_body.h"
#include "http_options.h"
#include "mem.h"
#include "openfaas_functions.h"
#include "processor.h"
#include "text.h"
#include "trace.h"
#include "url.h"

enum topic_style { TOPIC_SUBJECT, TOPIC_DOTTED, TOPIC_BOTH };

struct openfaas_config {
	char *address, *callback_url;
	bool async, auth_invoke, wildcards;
	int topic_style; /* enum topic_style */
	int type_style;  /* enum event_type_style */
	int64_t refresh_interval_ms;
	struct http_options http;
};

struct openfaas {
	const struct openfaas_config *config;
	char *base; /* the address without a trailing slash */
	struct http_peer peer;
	struct http_auth auth;
	struct openfaas_functions functions;
	struct buf dotted, text; /* scratch */
};

static const char *const topic_styles[] = { "subject", "dotted", "both", NULL };
static const char *const type_styles[] = { "router", "vsphere", "vsphereUnversioned", NULL };

static const struct config_field fields[] = {
	{ "address", CONFIG_STRING, offsetof(struct openfaas_config, address),
		CONFIG_REQUIRED | CONFIG_URL, .help = "The gateway's URL." },
	{ "async", CONFIG_BOOL, offsetof(struct openfaas_config, async), .def = "false",
		.help = "Send events to the gateway's queue (`/async-function/`) instead of waiting "
			"for the function." },
	{ "callbackUrl", CONFIG_STRING, offsetof(struct openfaas_config, callback_url),
		CONFIG_URL,
		.help = "Where the gateway sends a function's result, with `async`." },
	{ "authInvoke", CONFIG_BOOL, offsetof(struct openfaas_config, auth_invoke),
		.def = "false",
		.help = "Send `auth` with invocations too, not to `/system/` only." },
	{ "topicStyle", CONFIG_ENUM, offsetof(struct openfaas_config, topic_style),
		.def = "subject", .choices = topic_styles,
		.help = "What the `topic` annotation is compared with: the event's name "
			"(`VmPoweredOnEvent`), the older vcenter-connector's form (`vm.powered.on`), "
			"or both." },
	{ "topicWildcards", CONFIG_BOOL, offsetof(struct openfaas_config, wildcards),
		.def = "false",
		.help = "A `*` in an annotation matches any run of characters." },
	{ "typeStyle", CONFIG_ENUM, offsetof(struct openfaas_config, type_style),
		.def = "router", .choices = type_styles,
		.help = "Dialect of the CloudEvent's type: `com.vmware.event.router/event`, "
			"`com.vmware.vsphere.VmPoweredOnEvent.v0`, or the same without `.v0`." },
	{ "refreshInterval", CONFIG_DURATION,
		offsetof(struct openfaas_config, refresh_interval_ms), .def = "10s",
		.min = 1000, .max = 24 * 3600 * 1000,
		.help = "How often the functions and their topics are read from the gateway." },
	HTTP_OPTIONS_ROWS(struct openfaas_config, http),
	{ NULL },
};

static int
openfaas_open(void **out, const void *config, struct err *err)
{
	const struct openfaas_config *c = config;
	struct openfaas *self;
	size_t len = strlen(c->address);

	if (http_options_check(&c->http, err) != 0)
		return -1;
	if (c->auth_invoke && c->http.auth.type == HTTP_AUTH_NONE)
		return err_set(err, ERR_CONFIG, "authInvoke needs auth");
	if (c->callback_url != NULL && !c->async)
		return err_set(err, ERR_CONFIG, "callbackUrl needs async: true");
	if (strpbrk(c->address, "?#") != NULL)
		return err_set(err, ERR_CONFIG, "address must not have a query or a fragment");
	while (len > 0 && c->address[len - 1] == '/')
		len--;
	self = mem_alloc(sizeof(*self));
	self->config = c;
	self->base = mem_strndup(c->address, len);
	http_options_peer(&c->http, &self->peer);
	http_auth_init(&self->auth, &c->http.auth);
	self->functions = (struct openfaas_functions){ .base = self->base,
		.peer = &self->peer,
		.auth = &self->auth,
		.wildcards = c->wildcards,
		.interval_ms = c->refresh_interval_ms };
	buf_init(&self->dotted, EVENT_ATTRIBUTES_BYTES_MAX * 2);
	buf_init(&self->text, EVENT_ATTRIBUTES_BYTES_MAX * 3);
	*out = self;
	return 0;
}

static void
openfaas_close(void *p)
{
	struct openfaas *self = p;

	if (self == NULL)
		return;
	openfaas_functions_free(&self->functions);
	http_auth_free(&self->auth);
	buf_free(&self->dotted);
	buf_free(&self->text);
	free(self->base);
	free(self);
}

static const struct refresh refreshes[] = {
	{ "functions", openfaas_functions_interval_ms, true, openfaas_functions_request,
		openfaas_functions_response, offsetof(struct openfaas, functions) },
	{ NULL },
};

/* ---- deliveries */

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static const char *
skip_event(const char *s)
{
	while (text_starts(s, "Event"))
		s += strlen("Event");
	return s;
}

/*
 * VmPoweredOnEvent -> vm.powered.on, NASDatastoreEvent -> nas.datastore: a word begins at a
 * capital letter after a small letter, or before one. The older connector used one topic for
 * all EventEx, "ex".
 */
static void
dotted_topic(const struct event *ev, struct buf *out)
{
	const char *class = event_extension(ev, "eventclass"), *s = ev->subject;
	char last = '\0';

	buf_clear(out);
	if (strcmp(class, "eventex") == 0)
		s = "EventEx";
	else if (strcmp(class, "extendedevent") == 0)
		s = "ExtendedEvent";
	for (s = skip_event(s); *s != '\0'; s = skip_event(s + 1)) {
		char next = *skip_event(s + 1);

		if (is_upper(*s) && out->len > 0 &&
			(!is_upper(last) || (next != '\0' && !is_upper(next))))
			buf_add_char(out, '.');
		buf_add_char(out, is_upper(*s) ? (char)(*s - 'A' + 'a') : *s);
		last = *s;
	}
}

/* The topics of an event, at most 2; `dotted` is valid until the next call. */
static size_t
topics_of(struct openfaas *self, const struct event *ev, const char *topics[2])
{
	size_t n = 0;

	if (self->config->topic_style != TOPIC_DOTTED && *ev->subject != '\0')
		topics[n++] = ev->subject;
	if (self->config->topic_style != TOPIC_SUBJECT && *ev->subject != '\0') {
		dotted_topic(ev, &self->dotted);
		topics[n++] = buf_str(&self->dotted);
	}
	return n;
}

static int
openfaas_route(void *p, const struct event *ev, struct targets *targets, struct err *err)
{
	struct openfaas *self = p;
	const char *topics[2];
	size_t n = topics_of(self, ev, topics);

	if (self->config->wildcards && strlen(ev->subject) > FUNCTION_TOPIC_MAX)
		return err_set(err, ERR_LIMIT, "a subject of %zu bytes, topics have at most %d",
			strlen(ev->subject), FUNCTION_TOPIC_MAX);
	/* the refresh is required: there are no events before it succeeds */
	if (self->functions.map != NULL)
		function_map_match(self->functions.map, topics, n, targets);
	return self->functions.settled ? 0 : ROUTE_UNSETTLED;
}

static void
openfaas_save(void *p, struct buf *text)
{
	const struct openfaas *self = p;

	openfaas_functions_save(&self->functions, text);
}

static int
openfaas_restore(void *p, const char *text, size_t len, struct err *err)
{
	struct openfaas *self = p;

	return openfaas_functions_restore(&self->functions, text, len, err);
}

static size_t
openfaas_fan_out(void *p)
{
	const struct openfaas *self = p;
	size_t topics = self->config->topic_style == TOPIC_BOTH ? 2 : 1;

	return self->functions.map == NULL ? 1
					   : function_map_fan_out(self->functions.map, topics);
}

static uint64_t
openfaas_route_version(void *p)
{
	const struct openfaas *self = p;

	return self->functions.version;
}

/*
 * Attributes of forged events may have characters that are not allowed in a header, so values
 * are percent-encoded; vCenter's do not change.
 */
static void
add_header(struct openfaas *self, struct http_request *req, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	buf_clear(&self->text);
	event_add_header_value(&self->text, value);
	http_header(req, name, buf_str(&self->text));
}

/*
 * The topic for which this function gets the event; the event's name when the map has changed
 * since.
 */
static const char *
topic_for(struct openfaas *self, const struct event *ev, const char *function)
{
	const char *topics[2];
	size_t n = topics_of(self, ev, topics);

	for (size_t i = 0; i < n; i++)
		if (self->functions.map != NULL &&
			function_map_wants(self->functions.map, function, topics[i]))
			return topics[i];
	return n > 0 ? topics[0] : "";
}

static int
openfaas_encode(void *p, const struct batch *batch, struct http_request *req, struct err *err)
{
	struct openfaas *self = p;
	const struct openfaas_config *config = self->config;
	const struct event *ev = batch->event[0]; /* batch_max is 1 */
	const struct target *target = batch->target;

	buf_printf(&req->url, "%s%s", self->base,
		config->async ? "/async-function/" : "/function/");
	url_add_escaped(&req->url, target->name);
	event_type(ev, (enum event_type_style)config->type_style, &self->text);
	event_body_as_router(ev, buf_str(&self->text), req);
	add_header(self, req, "X-Topic", topic_for(self, ev, target->name));
	http_header(req, "X-Connector", "vcourier");
	add_header(self, req, "X-Call-Id", ev->id);
	trace_add_headers(ev, req);
	if (config->callback_url != NULL)
		http_header(req, "X-Callback-Url", config->callback_url);
	if (http_request_check(req, err) != 0)
		return -1;
	if (config->auth_invoke)
		http_auth_add(&self->auth, req);
	req->peer = &self->peer;
	return http_auth_check(req, err);
}

static void
openfaas_judge(void *p, const struct target *target, const struct http_response *rsp, size_t n,
	struct outcome *out)
{
	(void)p;
	(void)target;
	(void)n;
	http_outcome(rsp, out);
	/* The function may be removed, or the password changed: refresh before the retry. */
	if (rsp->status == 401 || rsp->status == 404)
		out->refresh = true;
}

const struct processor processor_openfaas = {
	.type = "openfaas",
	.block = "openfaas",
	.help = "Invokes OpenFaaS functions by the topics in their annotations.",
	.fields = fields,
	.config_size = sizeof(struct openfaas_config),
	.batch_max = 1,
	.open = openfaas_open,
	.route = openfaas_route,
	.route_version = openfaas_route_version,
	.save = openfaas_save,
	.restore = openfaas_restore,
	.fan_out = openfaas_fan_out,
	.encode = openfaas_encode,
	.judge = openfaas_judge,
	.refreshes = refreshes,
	.close = openfaas_close,
};
