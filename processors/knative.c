// SPDX-License-Identifier: Apache-2.0
/*
 * Knative: every event goes to one address, a Broker, a Channel or any other URL, in one of the
 * two content modes of the CloudEvents HTTP binding.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "addressable.h"
#include "ce_overrides.h"
#include "event_body.h"
#include "http_options.h"
#include "mem.h"
#include "processor.h"
#include "text.h"
#include "trace.h"

enum encoding { ENCODING_BINARY, ENCODING_STRUCTURED };

struct knative_config {
	struct destination destination;
	int encoding;   /* enum encoding */
	int type_style; /* enum event_type_style */
	struct ce_overrides overrides;
	struct http_options http;
};

struct knative {
	const struct knative_config *config;
	struct http_auth auth;
	struct addressable sink;
	struct buf type; /* scratch */
};

/* ---- configuration */

static const char *const encodings[] = { "binary", "structured", NULL };
static const char *const type_styles[] = { "router", "vsphere", "vsphereUnversioned", NULL };

static const struct config_field fields[] = {
	{ "destination", CONFIG_OBJECT, offsetof(struct knative_config, destination),
		CONFIG_REQUIRED, .fields = destination_fields,
		.help = "Where events go: `ref` or `uri`." },
	{ "encoding", CONFIG_ENUM, offsetof(struct knative_config, encoding),
		.def = "structured", .choices = encodings,
		.help = "Content mode: `structured` (one JSON object; keeps blanks and non-ASCII text in attributes for "
			"every receiver) or `binary` (attributes as `ce-` headers)." },
	{ "typeStyle", CONFIG_ENUM, offsetof(struct knative_config, type_style),
		.def = "router", .choices = type_styles,
		.help = "Dialect of the CloudEvent's type: `com.vmware.event.router/event`, "
			"`com.vmware.vsphere.VmPoweredOnEvent.v0`, or the same without `.v0`." },
	{ "ceOverrides", CONFIG_OBJECT, offsetof(struct knative_config, overrides),
		.fields = ce_overrides_fields,
		.help = "Extensions that are set on each event, as `ceOverrides` of a VSphereSource." },
	HTTP_OPTIONS_ROWS(struct knative_config, http),
	{ NULL },
};

static int
knative_open(void **out, const void *config, struct err *err)
{
	const struct knative_config *c = config;
	struct knative *self;

	if (http_options_check(&c->http, err) != 0 ||
		ce_overrides_check(&c->overrides, err) != 0 ||
		destination_check(&c->destination, c->http.auth.type != HTTP_AUTH_NONE, err) !=
			0)
		return -1;
	self = mem_alloc(sizeof(*self));
	self->config = c;
	http_auth_init(&self->auth, &c->http.auth);
	addressable_init(&self->sink, &c->destination, &c->http);
	buf_init(&self->type, EVENT_ATTRIBUTES_BYTES_MAX * 2);
	*out = self;
	return 0;
}

static void
knative_close(void *p)
{
	struct knative *self = p;

	if (self == NULL)
		return;
	http_auth_free(&self->auth);
	addressable_free(&self->sink);
	buf_free(&self->type);
	free(self);
}

static const struct refresh refreshes[] = {
	HTTP_AUTH_REFRESH(struct knative, auth),
	ADDRESSABLE_REFRESH("destination", true, struct knative, sink),
	{ NULL },
};

/* ---- deliveries */

static int
knative_encode(void *p, const struct batch *batch, struct http_request *req, struct err *err)
{
	struct knative *self = p;
	struct event with;
	const struct event *ev = ce_overrides_apply(
		&self->config->overrides, batch->event[0], &with, err); /* batch_max is 1 */

	if (ev == NULL)
		return -1;
	event_type(ev, (enum event_type_style)self->config->type_style, &self->type);
	/* the refresh is required: nothing is sent before it succeeds */
	if (self->sink.now.url == NULL)
		return err_set(err, ERR_NOT_FOUND, "the destination has no address yet");
	buf_add_str(&req->url, self->sink.now.url);
	if (self->config->encoding == ENCODING_STRUCTURED)
		event_body_structured(ev, buf_str(&self->type), req);
	else if (event_body_binary(ev, buf_str(&self->type), req, err) != 0)
		return -1;
	trace_add_headers(ev, req);
	if (http_request_check(req, err) != 0)
		return -1;
	http_auth_add(&self->auth, req);
	if (self->sink.now.audience != NULL && self->sink.token != NULL)
		http_auth_bearer(req, self->sink.token);
	req->peer = &self->sink.peer;
	return http_auth_check(req, err);
}

static void
knative_judge(void *p, const struct target *target, const struct http_response *rsp, size_t n,
	struct outcome *out)
{
	struct knative *self = p;
	bool away = rsp->error == ERR_CONNECT || rsp->error == ERR_TLS ||
		rsp->error == ERR_TIMEOUT;

	(void)target;
	(void)n;
	http_outcome(rsp, out);
	if (rsp->status == 401)
		self->sink.token_refused = true;
	/* the credentials may have changed, or the address */
	out->refresh = rsp->status == 401 || rsp->status == 403 ||
		(addressable_by_ref(&self->sink) && (away || rsp->status == 404));
}

const struct processor processor_knative = {
	.type = "knative",
	.block = "knative",
	.help = "Sends every event to a Knative Broker, or any other URL, as a CloudEvent over HTTP.",
	.fields = fields,
	.config_size = sizeof(struct knative_config),
	.batch_max = 1,
	.open = knative_open,
	.encode = knative_encode,
	.judge = knative_judge,
	.refreshes = refreshes,
	.close = knative_close,
};
