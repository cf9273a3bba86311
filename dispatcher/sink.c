// SPDX-License-Identifier: Apache-2.0
#include "sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "absence.h"
#include "addressable.h"
#include "backoff.h"
#include "base64.h"
#include "clock.h"
#include "event_body.h"
#include "http_options.h"
#include "log.h"
#include "mem.h"
#include "message.h"
#include "trace.h"
#include "url_mask.h"

enum {
	TRIES = 5,
	RETRY_INITIAL_MS = 500,
	RETRY_MAX_MS = 5 * 1000,
	ERROR_DATA_MAX = 1024,
	ERROR_DEST_MAX = 64 * 1024
};

/* A dead letter on its way to the sink. */
struct sink_delivery {
	LIST_ENTRY(sink_delivery) link;
	struct sink *sink;
	struct delivery *delivery;
	struct backoff backoff;
	struct refusal refusal;
	int64_t due_ms, sent_ms;
	bool in_flight;
};

struct sink {
	struct sink_config config;
	struct addressable to;
	/* what refuses may be the ingress in front of the sink: see refusals.h */
	struct refusals refusals;
	LIST_HEAD(, sink_delivery) deliveries;
	struct event event;     /* the one that is being sent */
	struct absence absence; /* of an address */
};

/* ---- its address, resolved like that of any destination */

static const struct refresh refreshes[] = {
	ADDRESSABLE_REFRESH("dead-letter-sink", false, struct sink, to),
	{ NULL },
};

int
sink_open(struct sink **sink, const struct sink_config *config, struct err *err)
{
	const struct destination *destination = &config->options->dead_letter_sink;
	struct sink *s;

	*sink = NULL;
	if (destination->uri == NULL && destination->ref.kind == NULL)
		return 0;
	s = *sink = mem_alloc(sizeof(*s));
	s->config = *config;
	LIST_INIT(&s->deliveries);
	event_init(&s->event);
	addressable_init(&s->to, destination, NULL);
	return refresh_add(config->refresher, refreshes, s, err);
}

void
sink_close(struct sink *s)
{
	struct sink_delivery *p;

	if (s == NULL)
		return;
	while ((p = LIST_FIRST(&s->deliveries)) != NULL) {
		LIST_REMOVE(p, link);
		free(p);
	}
	addressable_free(&s->to);
	event_free(&s->event);
	free(s);
}

/* ---- dead letters */

static void
done(struct sink_delivery *p)
{
	struct sink *s = p->sink;
	struct delivery *delivery = p->delivery;

	LIST_REMOVE(p, link);
	free(p);
	s->config.on_done(s->config.ctx, delivery);
}

static void
give_up(struct sink_delivery *p, const struct err *why)
{
	log_error(
		"dead letter sink rejected a dead letter: it is in the stream of dead letters only",
		L_STR("stream", p->delivery->job->origin->stream),
		L_INT("seq", (int64_t)p->delivery->job->seq), L_ERR(why));
	done(p);
}

static void
try_again(struct sink_delivery *p, int64_t now_ms)
{
	p->due_ms = now_ms + RETRY_INITIAL_MS / 2 + backoff_next(&p->backoff);
	refresh_want(p->sink->config.refresher);
}

static void
on_failed(struct sink_delivery *p, const struct err *why, int64_t now_ms)
{
	refusals_failed(&p->sink->refusals, now_ms);
	if (p->backoff.attempts >= TRIES)
		give_up(p, why);
	else
		try_again(p, now_ms);
}

static void
on_refused(struct sink_delivery *p, const struct outcome *outcome, int64_t now_ms)
{
	struct sink *s = p->sink;
	struct refused refused = { .event = p->delivery->job->seq,
		.bytes = bus_msg_len(p->delivery->job->msg),
		.too_large = outcome->status == 413,
		.sent_ms = p->sent_ms,
		.now_ms = now_ms };

	if (refusals_note(&s->refusals, &p->refusal, &refused,
		    s->config.options->retry.reject_grace_ms)) {
		give_up(p, &outcome->why);
		return;
	}
	try_again(p, now_ms);
	if (p->due_ms > p->refusal.grace_ends_ms)
		p->due_ms = p->refusal.grace_ends_ms;
}

static void
on_done(void *ctx, const struct http_response *rsp)
{
	struct sink_delivery *p = ctx;
	struct outcome out = { .retry_after_ms = -1 };
	int64_t now_ms = clock_monotonic_ms();

	p->in_flight = false;
	http_outcome(rsp, &out);
	if (rsp->status == 401)
		p->sink->to.token_refused = true;
	if (out.verdict == VERDICT_REJECTED) {
		on_refused(p, &out, now_ms);
	} else if (out.verdict == VERDICT_RETRY) {
		on_failed(p, &out.why, now_ms);
	} else {
		refusals_taken(&p->sink->refusals, bus_msg_len(p->delivery->job->msg),
			p->sent_ms, now_ms);
		done(p);
	}
}

/* Sets an extension, and replaces one that an earlier sink has set. */
static void
extend(struct event *ev, const char *name, const char *value)
{
	size_t i = 0;

	while (i < ev->n_extensions && strcmp(ev->extension[i].name, name) != 0)
		i++;
	if (i == EVENT_EXTENSIONS_MAX || *value == '\0')
		return;
	ev->extension[i] = (struct event_extension){ name, value, true };
	if (i == ev->n_extensions)
		ev->n_extensions++;
}

static void
write_letter(
	const struct delivery *delivery, const struct event *original, struct http_request *req)
{
	struct event ev = *original; /* the strings are shared, not copied */
	char code[16];
	struct buf data, url;
	size_t n = delivery->why != NULL ? strlen(delivery->why) : 0;

	snprintf(code, sizeof(code), "%d", delivery->status);
	buf_init(&data, ERROR_DATA_MAX * 4 / 3 + 8);
	base64_encode(&data, delivery->why, n < ERROR_DATA_MAX ? n : ERROR_DATA_MAX);
	buf_init(&url, ERROR_DEST_MAX);
	if (delivery->queue->url != NULL)
		url_mask_add(&url, delivery->queue->url);
	extend(&ev, "knativeerrordest", buf_str(&url));
	if (delivery->status != 0)
		extend(&ev, "knativeerrorcode", code);
	if (n > 0)
		extend(&ev, "knativeerrordata", buf_str(&data));
	ev.json = NULL; /* so that it is written from its parts */
	event_body_structured(&ev, NULL, req);
	trace_add_headers(&ev, req);
	buf_free(&data);
	buf_free(&url);
}

static void
send(struct sink *s, struct sink_delivery *p)
{
	struct http_request *req = http_request_new(s->config.http);
	struct http_response none = { .error = ERR_CONNECT, .retry_after_ms = -1 };

	buf_add_str(&req->url, s->to.now.url);
	if (s->to.now.audience != NULL && s->to.token != NULL)
		http_auth_bearer(req, s->to.token);
	write_letter(p->delivery, &s->event, req);
	req->peer = &s->to.peer;
	req->timeout_ms = s->config.options->timeout_ms;
	p->in_flight = true;
	if (http_submit(s->config.http, req, on_done, p, &none.why) != 0)
		on_done(p, &none);
}

bool
sink_deliver(struct sink *s, struct delivery *delivery)
{
	struct sink_delivery *p;

	if (s == NULL)
		return false;
	/* these two are dead letters because they are not valid events */
	if (strcmp(delivery->reason, "invalid_event") == 0 ||
		strcmp(delivery->reason, "poison") == 0)
		return false;
	p = mem_alloc(sizeof(*p));
	p->sink = s;
	p->delivery = delivery;
	backoff_init(&p->backoff, RETRY_INITIAL_MS, RETRY_MAX_MS, delivery->job->seq);
	LIST_INSERT_HEAD(&s->deliveries, p, link);
	return true;
}

bool
sink_busy(const struct sink *s)
{
	return s != NULL && !LIST_EMPTY(&s->deliveries);
}

/* Sends p, or ends it when it cannot be sent. */
static void
send_due(struct sink *s, struct sink_delivery *p, int64_t now_ms)
{
	struct refresh_time time = { .now_ms = now_ms,
		.empty_grace_ms = s->config.options->empty_grace_ms };
	struct err err;

	if (s->to.now.url == NULL) {
		err_set(&err, ERR_NOT_FOUND, "it has no address yet");
		if (absence_confirmed(&s->absence, &time))
			give_up(p, &err);
		else
			p->due_ms = now_ms + RETRY_INITIAL_MS;
		return;
	}
	if (refusals_singled_out(&s->refusals, &p->refusal)) {
		err_set(&err, ERR_PROTOCOL, "it refused this event and accepted others");
		give_up(p, &err);
		return;
	}
	p->sent_ms = now_ms;
	if (message_read_event(p->delivery->job->msg, &s->event, &err) == 0)
		send(s, p);
	else
		done(p);
}

void
sink_turn(struct sink *s, int64_t now_ms)
{
	struct sink_delivery *p = s != NULL ? LIST_FIRST(&s->deliveries) : NULL, *next;

	for (; p != NULL; p = next) {
		next = LIST_NEXT(p, link);
		if (!p->in_flight && p->due_ms <= now_ms)
			send_due(s, p, now_ms);
	}
}
