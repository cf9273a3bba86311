// SPDX-License-Identifier: Apache-2.0
/*
 * deadLetterSink: a destination that gets each dead letter beside our own stream, as Knative's
 * DeliverySpec has it: the event, with what went wrong in the extensions knativeerrordest,
 * knativeerrorcode and knativeerrordata. The letter is in the stream before; so a sink that
 * does not take it in a few tries loses nothing. A letter that the sink refuses is tried again
 * as refusals.h has it: what refuses may be the ingress in front of it.
 * https://knative.dev/docs/eventing/event-delivery/
 */
#include "base64.h"
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "absence.h"
#include "addressable.h"
#include "clock.h"
#include "http_options.h"
#include "log.h"
#include "mem.h"
#include "message.h"

enum { TRIES = 5, RETRY_INITIAL_MS = 500, RETRY_MAX_MS = 5 * 1000, ERROR_DATA_MAX = 1024 };

/* A letter on its way to the sink. */
struct parcel {
	struct parcel *next;
	struct sink *sink;
	struct delivery *delivery;
	struct backoff backoff;
	struct refusal refusal;
	int64_t due_ms, sent_ms;
	bool in_flight;
};

struct sink {
	struct dispatcher *d; /* for its HTTP, and to ask for a refresh */
	delivery_fn *on_sunk;
	void *on_sunk_ctx;
	struct addressable to;
	struct http_peer peer;
	struct refusals refusals;
	struct parcel *parcels;
	struct event event;     /* the one that is being sent */
	struct absence absence; /* of an address */
};

/* ---- its address, looked up like that of any destination */

static int64_t
interval_ms(void *sink)
{
	return addressable_interval_ms(&((struct sink *)sink)->to);
}

static enum refresh_result
use_address(struct sink *s, enum refresh_result result)
{
	if (result == REFRESH_DONE)
		s->peer.ca_pem = s->to.now.ca_pem;
	return result;
}

static int
request(void *sink, unsigned step, struct http_request *req, struct err *err)
{
	struct sink *s = sink;
	int result = addressable_request(&s->to, step, req, err);

	if (result == 1)
		use_address(s, REFRESH_DONE);
	return result;
}

static enum refresh_result
response(void *sink, unsigned step, const struct http_response *rsp,
	const struct refresh_time *time, struct err *err)
{
	struct sink *s = sink;

	(void)step;
	(void)time;
	return use_address(s, addressable_response(&s->to, rsp, err));
}

const struct refresh sink_refreshes[] = {
	{ "dead-letter-sink", interval_ms, false, request, response },
	{ NULL },
};

struct sink *
sink_open(struct dispatcher *d, delivery_fn *on_sunk, void *ctx)
{
	const struct destination *destination = &d->options->dead_letter_sink;
	struct sink *s;

	if (destination->uri == NULL && destination->ref.kind == NULL)
		return NULL;
	s = mem_alloc(sizeof(*s));
	s->d = d;
	s->on_sunk = on_sunk;
	s->on_sunk_ctx = ctx;
	event_init(&s->event);
	addressable_init(&s->to, destination, NULL, false);
	return s;
}

void
sink_close(struct sink *s)
{
	if (s == NULL)
		return;
	while (s->parcels != NULL) {
		struct parcel *p = s->parcels;

		s->parcels = p->next;
		free(p);
	}
	addressable_free(&s->to);
	event_free(&s->event);
	free(s);
}

/* ---- letters */

static void
done(struct parcel *parcel)
{
	struct sink *s = parcel->sink;
	struct parcel **p = &s->parcels;
	struct delivery *delivery = parcel->delivery;

	while (*p != parcel)
		p = &(*p)->next;
	*p = parcel->next;
	free(parcel);
	s->on_sunk(s->on_sunk_ctx, delivery);
}

static void
give_up(struct parcel *p, const struct err *why)
{
	log_error(
		"dead letter sink does not take a letter: it is in the stream of dead letters only",
		L_STR("stream", p->delivery->job->source->stream),
		L_INT("seq", (int64_t)p->delivery->job->seq), L_ERR(why));
	done(p);
}

static void
try_again(struct parcel *p, int64_t now_ms)
{
	p->due_ms = now_ms + RETRY_INITIAL_MS / 2 + backoff_next(&p->backoff);
	refresh_want(p->sink->d);
}

static void
on_failed(struct parcel *p, const struct err *why, int64_t now_ms)
{
	refusals_failed(&p->sink->refusals, now_ms);
	if (p->backoff.attempts >= TRIES)
		give_up(p, why);
	else
		try_again(p, now_ms);
}

static void
on_refused(struct parcel *p, const struct outcome *outcome, int64_t now_ms)
{
	struct sink *s = p->sink;
	struct refused refused = { .event = p->delivery->job->seq,
		.bytes = bus_msg_len(p->delivery->job->msg),
		.too_large = outcome->status == 413,
		.sent_ms = p->sent_ms,
		.now_ms = now_ms };

	if (refusals_note(&s->refusals, &p->refusal, &refused,
		    s->d->options->retry.reject_grace_ms)) {
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
	struct parcel *p = ctx;
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

/* Sets an extension, in place of one that an earlier sink has left there. */
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
	struct event ev = *original; /* the strings stay where they are */
	char code[16];
	struct buf data;
	size_t n = delivery->why != NULL ? strlen(delivery->why) : 0;

	snprintf(code, sizeof(code), "%d", delivery->status);
	buf_init(&data, ERROR_DATA_MAX * 4 / 3 + 8);
	base64_encode(&data, delivery->why, n < ERROR_DATA_MAX ? n : ERROR_DATA_MAX);
	extend(&ev, "knativeerrordest",
		delivery->queue->url != NULL ? delivery->queue->url : "");
	if (delivery->status != 0)
		extend(&ev, "knativeerrorcode", code);
	if (n > 0)
		extend(&ev, "knativeerrordata", buf_str(&data));
	ev.json = NULL; /* written anew from its parts */
	event_add_structured(&ev, NULL, &req->own_body);
	buf_free(&data);
	req->body = buf_str(&req->own_body);
	req->body_len = req->own_body.len;
}

static void
send(struct sink *s, struct parcel *p)
{
	struct http_request *req = http_request_new(s->d->http);
	struct http_response none = { .error = ERR_CONNECT, .retry_after_ms = -1 };

	buf_add_str(&req->url, s->to.now.url);
	http_header(req, "Content-Type", EVENT_CONTENT_TYPE);
	if (s->to.now.audience != NULL && s->to.token != NULL)
		http_auth_bearer(req, s->to.token);
	write_letter(p->delivery, &s->event, req);
	req->peer = &s->peer;
	req->timeout_ms = s->d->options->timeout_ms;
	p->in_flight = true;
	if (http_submit(s->d->http, req, on_done, p, &none.why) != 0)
		on_done(p, &none);
}

bool
sink_deliver(struct sink *s, struct delivery *delivery)
{
	struct parcel *p;

	/* these two are dead letters because they are not valid events */
	if (strcmp(delivery->reason, "invalid_event") == 0 ||
		strcmp(delivery->reason, "poison") == 0)
		return false;
	p = mem_alloc(sizeof(*p));
	p->sink = s;
	p->delivery = delivery;
	backoff_init(&p->backoff, RETRY_INITIAL_MS, RETRY_MAX_MS, delivery->job->seq);
	p->next = s->parcels;
	s->parcels = p;
	return true;
}

bool
sink_busy(const struct sink *s)
{
	return s->parcels != NULL;
}

void
sink_turn(struct sink *s, int64_t now_ms)
{
	struct refresh_time time = { .now_ms = now_ms,
		.empty_grace_ms = s->d->options->empty_grace_ms };
	struct parcel *next;
	struct err err;

	for (struct parcel *p = s->parcels; p != NULL; p = next) {
		next = p->next;
		if (p->in_flight || p->due_ms > now_ms)
			continue;
		err_set(&err, ERR_NOT_FOUND, "it has no address yet");
		if (s->to.now.url == NULL) {
			if (absence_confirmed(&s->absence, &time))
				give_up(p, &err);
			else
				p->due_ms = now_ms + RETRY_INITIAL_MS;
			continue;
		}
		if (refusals_singled_out(&s->refusals, &p->refusal)) {
			err_set(&err, ERR_PROTOCOL, "it refused this one and took others");
			give_up(p, &err);
			continue;
		}
		p->sent_ms = now_ms;
		if (message_read_event(p->delivery->job->msg, &s->event, &err) == 0)
			send(s, p);
		else
			done(p);
	}
}
