// SPDX-License-Identifier: Apache-2.0
/*
 * Backends for tests of the processor contract (processor.h): one for each combination of
 * batches, routes and a refresh. Their types say which: toy[-batch][-one|-fan][-refresh].
 *
 *     batch    up to 10 events in a request, else 1
 *     one      route() names the target "", or none
 *     fan      route() names several targets: each letter of the event's extension "targets"
 *     refresh  the path of the requests, and which targets there are, is read in two steps
 * before the first delivery
 *
 * A request is an event, with batches a JSON array of events. A reply of 200 has one HTTP
 * status for each of them in its body. An event's extension "toy" asks for a fault: unroutable (route fails), nobody
 * (route names no target), unencodable (encode fails), big (fills a request alone).
 */
#include <stdlib.h>
#include <string.h>

#include "event_body.h"
#include "mem.h"
#include "processor.h"

enum { WEIGHT_MAX = 64 * 1024 };

struct toy_config {
	char *address;
};

struct toy {
	const struct toy_config *config;
	char *path;    /* "in", or what the refresh has read */
	char *targets; /* letters; NULL: all */
};

static const struct config_field fields[] = {
	{ "address", CONFIG_STRING, offsetof(struct toy_config, address),
		CONFIG_REQUIRED | CONFIG_URL, .help = "Where the requests go." },
	{ NULL },
};

static int
toy_open(void **out, const void *config, struct err *err)
{
	struct toy *self = mem_alloc(sizeof(*self));

	(void)err;
	self->config = config;
	self->path = mem_strdup("in");
	*out = self;
	return 0;
}

static void
toy_close(void *p)
{
	struct toy *self = p;

	free(self->path);
	free(self->targets);
	free(self);
}

/* ---- refresh: "/step", then "/where", whose answer is "PATH TARGETS" */

static int64_t
interval_ms(void *p)
{
	(void)p;
	return 0;
}

static enum refresh_step
refresh_request(void *p, unsigned step, struct http_request *req, struct err *err)
{
	struct toy *self = p;

	(void)err;
	buf_printf(&req->url, "%s/%s", self->config->address, step == 0 ? "step" : "where");
	return REFRESH_SEND;
}

static enum refresh_result
refresh_response(void *p, unsigned step, const struct http_response *rsp,
	const struct refresh_time *time, struct err *err)
{
	struct toy *self = p;
	const char *blank;

	(void)time;
	if (rsp->status != 200) {
		err_set(err, ERR_PROTOCOL, "HTTP %d", rsp->status);
		return REFRESH_FAILED;
	}
	if (step == 0)
		return REFRESH_MORE;
	blank = strchr(rsp->body, ' ');
	if (blank == NULL) {
		err_set(err, ERR_PROTOCOL, "no path and targets");
		return REFRESH_FAILED;
	}
	free(self->path);
	free(self->targets);
	self->path = mem_strdup(rsp->body);
	self->path[blank - rsp->body] = '\0';
	self->targets = mem_strdup(blank + 1);
	return REFRESH_DONE;
}

static const struct refresh refreshes[] = {
	{ "where", interval_ms, true, refresh_request, refresh_response },
	{ NULL },
};

/* ---- deliveries */

static bool
asks_for(const struct event *ev, const char *fault)
{
	return strcmp(event_extension(ev, "toy"), fault) == 0;
}

static int
route_one(void *p, const struct event *ev, struct targets *targets, struct err *err)
{
	(void)p;
	if (asks_for(ev, "unroutable"))
		return err_set(err, ERR_PROTOCOL, "cannot be routed");
	if (!asks_for(ev, "nobody"))
		targets_add(targets, "");
	return 0;
}

static int
route_fan(void *p, const struct event *ev, struct targets *targets, struct err *err)
{
	struct toy *self = p;

	if (asks_for(ev, "unroutable"))
		return err_set(err, ERR_PROTOCOL, "cannot be routed");
	if (asks_for(ev, "nobody"))
		return 0;
	for (const char *at = event_extension(ev, "targets"); *at != '\0'; at++) {
		char name[] = { *at, '\0' };

		if (self->targets == NULL || strchr(self->targets, *at) != NULL)
			targets_add(targets, name);
	}
	return 0;
}

static size_t
weight(void *p, const struct event *ev)
{
	(void)p;
	return asks_for(ev, "big") ? WEIGHT_MAX : ev->data_len + 256;
}

static size_t
weight_max(void *p)
{
	(void)p;
	return WEIGHT_MAX;
}

static int
begin(const struct toy *self, const struct batch *batch, struct http_request *req,
	struct err *err)
{
	for (size_t i = 0; i < batch->n; i++)
		if (asks_for(batch->event[i], "unencodable"))
			return err_set(err, ERR_PROTOCOL, "cannot be encoded");
	buf_printf(
		&req->url, "%s/%s/%s", self->config->address, self->path, batch->target->name);
	return 0;
}

static int
encode_one(void *p, const struct batch *batch, struct http_request *req, struct err *err)
{
	if (begin(p, batch, req, err) != 0)
		return -1;
	event_body_structured(batch->event[0], NULL, req);
	return 0;
}

static int
encode_batch(void *p, const struct batch *batch, struct http_request *req, struct err *err)
{
	if (begin(p, batch, req, err) != 0)
		return -1;
	http_header(req, "Content-Type", "application/cloudevents-batch+json");
	for (size_t i = 0; i < batch->n; i++) {
		buf_add_char(&req->own_body, i == 0 ? '[' : ',');
		event_add_structured(batch->event[i], NULL, &req->own_body);
	}
	buf_add_char(&req->own_body, ']');
	req->body = buf_str(&req->own_body);
	req->body_len = req->own_body.len;
	return 0;
}

static void
judge(void *p, const struct target *target, const struct http_response *rsp, size_t n,
	struct outcome *out)
{
	struct http_response one = *rsp;
	char *at = (char *)(uintptr_t)rsp->body;

	(void)p;
	(void)target;
	for (size_t i = 0; i < n; i++) {
		if (rsp->status == 200)
			one.status = (int)strtol(at, &at, 10);
		http_outcome(&one, &out[i]);
		out[i].refresh = one.status == 401 || one.status == 404;
		out[i].split = one.status == 413 && n > 1;
		if (out[i].split)
			out[i].verdict = VERDICT_RETRY;
	}
}

/* ---- the combinations */

/* clang-format off */
#define TOY(text, batch, how_route, how_refresh) \
	{ .type = text, .block = text, .help = "For tests.", .fields = fields, \
		.config_size = sizeof(struct toy_config), .batch_max = batch, \
		.open = toy_open, .route = how_route, .weight = (batch) > 1 ? weight : NULL, \
		.weight_max = (batch) > 1 ? weight_max : NULL, \
		.encode = (batch) > 1 ? encode_batch : encode_one, \
		.judge = judge, .refreshes = how_refresh, .close = toy_close }
#define WITH_AND_WITHOUT_REFRESH(text, batch, how_route) \
	TOY(text, batch, how_route, NULL), TOY(text "-refresh", batch, how_route, refreshes)
/* clang-format on */

static const struct processor toys[] = {
	WITH_AND_WITHOUT_REFRESH("toy", 1, NULL),
	WITH_AND_WITHOUT_REFRESH("toy-one", 1, route_one),
	WITH_AND_WITHOUT_REFRESH("toy-fan", 1, route_fan),
	WITH_AND_WITHOUT_REFRESH("toy-batch", 10, NULL),
	WITH_AND_WITHOUT_REFRESH("toy-batch-one", 10, route_one),
	WITH_AND_WITHOUT_REFRESH("toy-batch-fan", 10, route_fan),
};

const struct processor *const processor_list[] = {
	&toys[0],
	&toys[1],
	&toys[2],
	&toys[3],
	&toys[4],
	&toys[5],
	&toys[6],
	&toys[7],
	&toys[8],
	&toys[9],
	&toys[10],
	&toys[11],
	NULL,
};
