// SPDX-License-Identifier: Apache-2.0
#include "webhook_source.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "webhook_http.h"
#include "webhook_metrics.h"
#include "webhook_options.h"
#include "webhook_server.h"

enum {
	WAIT_MS = 500, /* for a request; then the loop looks round */
	ACK_MS = 5000,
	LISTEN_AGAIN_MS = 1000,
	MESSAGE_MIN = 4096,
};

struct webhook {
	const struct webhook_options *options;
	const char *name;
	struct publisher *publisher;
	struct webhook_server *server; /* NULL: it does not listen yet */
	int64_t listen_ms;             /* when that is tried again */
	struct err why;                /* why it does not */
	size_t message_max;
	uint64_t received;
	bool ready;
	struct position_event newest;
};

static void
open_source(void **self, const void *options, const struct source_context *context)
{
	struct webhook *w = mem_alloc(sizeof(*w));

	w->options = options;
	w->name = context->name;
	w->publisher = context->publisher;
	err_set(&w->why, ERR_SYSTEM, "not listening yet");
	webhook_metrics_init(w->options);
	*self = w;
}

static void
close_source(void *self)
{
	struct webhook *w = self;

	if (w == NULL)
		return;
	webhook_server_close(w->server);
	free(w);
}

/* Also while NATS is away: senders then get 503 and not a refused connection. */
static void
listen_again(struct webhook *w)
{
	int64_t now_ms = clock_monotonic_ms();

	if (w->server != NULL || now_ms < w->listen_ms)
		return;
	w->listen_ms = now_ms + LISTEN_AGAIN_MS;
	if (webhook_http_open(&w->server, w->options, w->name, &w->why) == 0)
		log_info("webhook: listening", L_STR("address", w->options->bind),
			L_INT("port", webhook_server_port(w->server)),
			L_BOOL("tls", w->options->cert_file != NULL));
}

static void
observe(void *self)
{
	struct webhook *w = self;
	struct err err;

	listen_again(w);
	if (w->server == NULL)
		return;
	if (webhook_server_tick(w->server, &err) != 0)
		log_error("webhook: the changed certificate cannot be used, the old one stays",
			L_ERR(&err));
	webhook_metrics_connections(webhook_server_connections(w->server));
}

static enum source_result
connect_source(void *self, struct err *err)
{
	struct webhook *w = self;

	if (w->server != NULL)
		return SOURCE_OK;
	*err = w->why;
	return SOURCE_FAILED;
}

static bool
credentials_changed(void *self)
{
	(void)self;
	return true;
}

static void
identify(void *self, struct source_identity *id)
{
	(void)self;
	*id = (struct source_identity){ .uuid = "", .now_us = clock_wall_us() };
}

static enum source_result
resume(void *self, const struct source_loaded *loaded, struct err *err)
{
	struct webhook *w = self;

	(void)err;
	w->message_max = loaded->message_max;
	return SOURCE_OK;
}

static void
set_ready(struct webhook *w, bool ready)
{
	w->ready = ready;
	if (w->server != NULL)
		webhook_server_set_ready(w->server, ready, w->message_max);
}

static void
refuse(void *self)
{
	set_ready(self, false);
}

/* ---- storing */

static int
send_events(struct webhook *w, const struct webhook_request *request, struct err *err)
{
	const struct webhook_events *events = webhook_request_events(request);

	for (size_t i = 0; i < events->n; i++) {
		const struct webhook_event *e = &events->event[i];
		const struct publish p = { .subject = e->subject,
			.msg_id = e->msg_id,
			.data = e->data,
			.len = e->len,
			.created_us = INT64_MAX,
			.again_us = INT64_MAX,
			.complete_us = INT64_MAX,
			.unfenced = true };

		if (publisher_send(w->publisher, &p, err) != 0)
			return -1;
		w->received++;
	}
	return 0;
}

/* Sends the events of all requests, waits for the acks, and answers. */
static int
store(struct webhook *w, struct webhook_request *first, struct err *err)
{
	struct webhook_request *r, *next;
	int rc = 0;

	for (r = first; rc == 0 && r != NULL; r = webhook_request_next(r))
		rc = send_events(w, r, err);
	if (rc == 0)
		rc = publisher_drain(w->publisher, ACK_MS, err);
	for (r = first; r != NULL; r = next) {
		next = webhook_request_next(r);
		webhook_server_answer(w->server, r, rc == 0);
	}
	if (rc == 0)
		w->newest.created_us = clock_wall_us();
	return rc;
}

static enum source_result
next(void *self, int64_t *wait_ms, struct err *err)
{
	struct webhook *w = self;
	struct webhook_request *first;

	*wait_ms = 0; /* webhook_server_take waits */
	if (!w->ready)
		set_ready(w, true);
	first = webhook_server_take(w->server, WAIT_MS);
	if (first == NULL || store(w, first, err) == 0)
		return SOURCE_OK;
	return err->code == ERR_STOPPED ? SOURCE_STOPPED : STREAM_FAILED;
}

static void
position(const void *self, struct source_status *status)
{
	const struct webhook *w = self;

	*status = (struct source_status){ .connected = w->server != NULL,
		.read = w->received,
		.any = w->newest.created_us != 0,
		.newest = w->newest };
}

static const char *const types[] = { "webhook", NULL };

const struct source webhook_source = {
	.name = "webhook",
	.types = types,
	.help = "CloudEvents and JSON that are posted to this address.",
	.fields = webhook_fields,
	.options_size = sizeof(struct webhook_options),
	.bind = webhook_options_bind,
	.release = webhook_options_release,
	.settings = webhook_options_settings,
	.receives = true,
	.failed = "webhook: cannot listen, trying again",
	.refused = "webhook: cannot listen, trying again",
	.forbidden = "webhook: cannot listen, trying again",
	.message_min = MESSAGE_MIN,
	.open = open_source,
	.connect = connect_source,
	.credentials_changed = credentials_changed,
	.identify = identify,
	.resume = resume,
	.next = next,
	.observe = observe,
	.stand_by = refuse,
	.refuse = refuse,
	.position = position,
	.close = close_source,
};
