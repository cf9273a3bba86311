// SPDX-License-Identifier: Apache-2.0
/*
 * Functions without Kubernetes: a directory of files says which function is where and which
 * events it gets. Each function is a target of its own, so a failing function does not affect
 * the others. The request is the one that a Knative Trigger sends.
 */
#include <stdlib.h>
#include <string.h>

#include "event_body.h"
#include "functions_directory.h"
#include "http_options.h"
#include "mem.h"
#include "processor.h"
#include "trace.h"

enum { STYLES = EVENT_TYPE_VSPHERE_UNVERSIONED + 1 };

struct functions_config {
	char *directory, *broker, *service_url;
	int type_style; /* enum function_type_style */
	int encoding;   /* index into function_encodings */
	int64_t refresh_interval_ms;
	struct http_options http;
};

struct functions {
	const struct functions_config *config;
	struct http_peer peer;
	struct http_auth auth;
	struct functions_directory directory;
	struct buf type[STYLES]; /* scratch: the type of one event in each dialect */
};

static const struct config_field fields[] = {
	{ "directory", CONFIG_STRING, offsetof(struct functions_config, directory),
		CONFIG_REQUIRED | CONFIG_FILE,
		.help = "The directory of the functions' files (`*.yaml`, `*.yml`, `*.json`)." },
	{ "broker", CONFIG_STRING, offsetof(struct functions_config, broker), .def = "default",
		.help = "The broker that the Triggers name. A Trigger of another broker is refused." },
	{ "serviceURL", CONFIG_STRING, offsetof(struct functions_config, service_url),
		.def = "http://{name}:{port}/",
		.help = "Where a Knative Service runs: `{name}` is its name, `{port}` its `containerPort` "
			"(8080 without one)." },
	{ "typeStyle", CONFIG_ENUM, offsetof(struct functions_config, type_style),
		.def = "auto", .choices = function_type_styles,
		.help = "Dialect of the CloudEvent's type: that of each Trigger's filter, "
			"`com.vmware.event.router/event`, `com.vmware.vsphere.VmPoweredOnEvent.v0`, or "
			"the same without `.v0`." },
	{ "encoding", CONFIG_ENUM, offsetof(struct functions_config, encoding), .def = "binary",
		.choices = function_encodings,
		.help = "Content mode: `binary`, which Knative's brokers send, or `structured`." },
	{ "refreshInterval", CONFIG_DURATION,
		offsetof(struct functions_config, refresh_interval_ms), .def = "2s",
		.min = 1000, .max = 24 * 3600 * 1000,
		.help = "How often the directory is looked at." },
	HTTP_OPTIONS_ROWS(struct functions_config, http),
	{ NULL },
};

static int
functions_open(void **out, const void *config, struct err *err)
{
	const struct functions_config *c = config;
	struct functions *self;

	if (http_options_check(&c->http, err) != 0 ||
		function_manifest_check_url(c->service_url, err) != 0)
		return -1;
	self = mem_alloc(sizeof(*self));
	self->config = c;
	http_options_peer(&c->http, &self->peer);
	http_auth_init(&self->auth, &c->http.auth);
	self->directory = (struct functions_directory){ .path = c->directory,
		.rules = { .broker = c->broker,
			.service_url = c->service_url,
			.type_style = c->type_style,
			.structured = c->encoding == 1 },
		.interval_ms = c->refresh_interval_ms };
	for (size_t i = 0; i < STYLES; i++)
		buf_init(&self->type[i], EVENT_ATTRIBUTES_BYTES_MAX * 2);
	*out = self;
	return 0;
}

static void
functions_close(void *p)
{
	struct functions *self = p;

	if (self == NULL)
		return;
	functions_directory_free(&self->directory);
	http_auth_free(&self->auth);
	for (size_t i = 0; i < STYLES; i++)
		buf_free(&self->type[i]);
	free(self);
}

static void
functions_check(void *p, const struct config_node *block, struct config_errors *errors)
{
	const struct functions *self = p;

	functions_directory_check(&self->directory, block, errors);
}

static const struct refresh refreshes[] = {
	HTTP_AUTH_REFRESH(struct functions, auth),
	{ "functions", functions_directory_interval_ms, true, functions_directory_request,
		functions_directory_response, offsetof(struct functions, directory) },
	{ NULL },
};

/* ---- deliveries */

static void
set_types(struct functions *self, const struct event *ev)
{
	event_type(ev, EVENT_TYPE_ROUTER, &self->type[EVENT_TYPE_ROUTER]);
	event_type(ev, EVENT_TYPE_VSPHERE, &self->type[EVENT_TYPE_VSPHERE]);
	event_type(ev, EVENT_TYPE_VSPHERE_UNVERSIONED,
		&self->type[EVENT_TYPE_VSPHERE_UNVERSIONED]);
}

/* The first Trigger that wants the event, in its own dialect of the type; NULL: none. */
static const struct function_trigger *
trigger_for(const struct functions *self, const struct function_entry *entry,
	const struct event *ev)
{
	for (size_t i = 0; i < entry->n_triggers; i++) {
		const struct function_trigger *t = &entry->trigger[i];

		if (function_filter_match(t->filter, ev, buf_str(&self->type[t->style])))
			return t;
	}
	return NULL;
}

static int
functions_route(void *p, const struct event *ev, struct targets *targets, struct err *err)
{
	struct functions *self = p;
	const struct function_set *set = &self->directory.set;

	(void)err;
	set_types(self, ev);
	for (size_t i = 0; i < set->n; i++)
		if (trigger_for(self, set->entry[i], ev) != NULL)
			targets_add(targets, set->entry[i]->name);
	return self->directory.settled ? 0 : ROUTE_UNSETTLED;
}

static uint64_t
functions_route_version(void *p)
{
	const struct functions *self = p;

	return self->directory.version;
}

static size_t
functions_fan_out(void *p)
{
	const struct functions *self = p;

	return self->directory.set.n > 0 ? self->directory.set.n : 1;
}

static int
functions_encode(void *p, const struct batch *batch, struct http_request *req, struct err *err)
{
	struct functions *self = p;
	const struct event *ev = batch->event[0]; /* batch_max is 1 */
	const struct function_entry *entry = function_set_find(
		&self->directory.set, batch->target->name);
	const struct function_trigger *trigger;
	const char *type;

	if (entry == NULL)
		return err_set(err, ERR_NOT_FOUND, "function %.64s is in no file of %.128s",
			batch->target->name, self->config->directory);
	set_types(self, ev);
	trigger = trigger_for(self, entry, ev);
	/* the filter has changed since the event was routed */
	if (trigger == NULL)
		trigger = &entry->trigger[0];
	type = buf_str(&self->type[trigger->style]);
	buf_add_str(&req->url, entry->url);
	if (entry->structured)
		event_body_structured(ev, type, req);
	else if (event_body_binary(ev, type, req, err) != 0)
		return -1;
	trace_add_headers(ev, req);
	if (http_request_check(req, err) != 0)
		return -1;
	http_auth_add(&self->auth, req);
	req->peer = &self->peer;
	return http_auth_check(req, err);
}

static void
functions_judge(void *p, const struct target *target, const struct http_response *rsp, size_t n,
	struct outcome *out)
{
	(void)p;
	(void)target;
	(void)n;
	http_outcome(rsp, out);
	/* the password may have changed */
	out->refresh = rsp->status == 401 || rsp->status == 403;
}

const struct processor processor_functions = {
	.type = "functions",
	.block = "functions",
	.help = "Calls the functions in a directory of files: Knative Services with their Triggers, without Kubernetes.",
	.fields = fields,
	.config_size = sizeof(struct functions_config),
	.batch_max = 1,
	.open = functions_open,
	.check = functions_check,
	.route = functions_route,
	.route_version = functions_route_version,
	.fan_out = functions_fan_out,
	.encode = functions_encode,
	.judge = functions_judge,
	.refreshes = refreshes,
	.close = functions_close,
};
