// SPDX-License-Identifier: Apache-2.0
#include "dispatcher_metrics.h"

#include <stdio.h>

#define PREFIX "vcourier_dispatcher_"

static const char *
label(const struct dispatcher_metrics *b, const char *more, char text[160])
{
	snprintf(text, 160, "backend=\"%s\"%s%s", b->backend, more[0] != '\0' ? "," : "", more);
	return text;
}

static struct metric *
counter(const struct dispatcher_metrics *b, const char *name, const char *labels,
	const char *help)
{
	char text[160];

	return metric_counter(name, label(b, labels, text), help);
}

static struct metric *
gauge(const struct dispatcher_metrics *b, const char *name, const char *help)
{
	char text[160];

	return metric_gauge(name, label(b, "", text), help);
}

static struct metric *
histogram(const struct dispatcher_metrics *b, const char *name, const char *help)
{
	char text[160];

	return metric_histogram(name, label(b, "", text), help);
}

static struct metric *
ended(const struct dispatcher_metrics *b, const char *labels)
{
	return counter(b, PREFIX "events_total", labels,
		"Events that have ended, by result. Together with the pending ones they are all that were stored.");
}

static struct metric *
stalls(const struct dispatcher_metrics *b, const char *labels)
{
	return counter(b, PREFIX "stalls_total", labels,
		"Times that the dispatcher did nothing for 30 s although it had work, and restarted itself.");
}

void
dispatcher_metrics_init(struct dispatcher_metrics *b, const char *backend)
{
	*b = (struct dispatcher_metrics){ .delivered = NULL };
	snprintf(b->backend, sizeof(b->backend), "%s", backend);
	b->delivered = ended(b, "result=\"delivered\"");
	b->filtered = ended(b, "result=\"filtered\"");
	b->dead = ended(b, "result=\"dead\"");
	b->expired = ended(b, "result=\"expired\"");
	b->pending = gauge(b, PREFIX "consumer_pending",
		"Events in the streams that were not delivered to any dispatcher yet.");
	b->ack_pending = gauge(b, PREFIX "consumer_ack_pending",
		"Events that were delivered to dispatchers and not acknowledged yet.");
	b->oldest_age = gauge(b, PREFIX "oldest_pending_age_seconds",
		"Age of the oldest event that has not ended.");
	b->consumer_ahead = gauge(b, PREFIX "consumer_ahead",
		"1 while the position of a consumer is not in its stream.");
	b->retries = counter(b, PREFIX "retries_total", "",
		"Failed tries that are followed by another one.");
	b->throttled = counter(b, PREFIX "throttled_total", "",
		"Replies that asked for a pause (Retry-After).");
	b->redelivered = counter(
		b, PREFIX "redelivered_total", "", "Events that NATS redelivered.");
	b->in_flight = gauge(b, PREFIX "in_flight", "Requests in flight.");
	b->in_memory = gauge(b, PREFIX "in_memory", "Events in memory.");
	b->idle = gauge(b, PREFIX "waiting",
		"Events in memory that only wait for a failing or slow target.");
	b->circuit = gauge(b, PREFIX "circuit_state", "0: deliveries flow; 2: they pause.");
	b->circuit_opens = counter(b, PREFIX "circuit_opens_total", "",
		"Times that deliveries to a target paused.");
	b->stalled_pull = stalls(b, "kind=\"pull\"");
	b->stalled_deliver = stalls(b, "kind=\"deliver\"");
	b->duration = histogram(
		b, PREFIX "delivery_duration_seconds", "From request to reply.");
	b->age = histogram(b, PREFIX "event_age_at_delivery_seconds",
		"From storing the event in the stream to the backend's acceptance.");
	b->attempts = histogram(b, PREFIX "delivery_attempts", "Tries until a delivery ended.");
}

static const char *
kind_of(enum err_code code)
{
	switch (code) {
	case ERR_CONNECT:
		return "kind=\"connect\"";
	case ERR_TLS:
		return "kind=\"tls\"";
	case ERR_TIMEOUT:
		return "kind=\"timeout\"";
	default:
		return "kind=\"protocol\"";
	}
}

void
dispatcher_metrics_response(
	struct dispatcher_metrics *b, const struct http_response *rsp, size_t events)
{
	/* 0: none that HTTP knows */
	size_t i = rsp->status > 0 && rsp->status < STATUSES ? (size_t)rsp->status : 0;
	char code[32];

	(void)events;
	metric_observe(b->duration, (double)rsp->duration_ms / 1000);
	if (rsp->status == 0) {
		metric_add(counter(b, PREFIX "errors_total", kind_of(rsp->error),
				   "Requests without a reply."),
			1);
		return;
	}
	if (b->by_status[i] == NULL) {
		snprintf(code, sizeof(code), "code=\"%zu\"", i);
		b->by_status[i] = counter(
			b, PREFIX "requests_total", code, "Replies, by HTTP status.");
	}
	metric_add(b->by_status[i], 1);
}

void
dispatcher_metrics_circuit(struct dispatcher_metrics *b, bool open)
{
	metric_set(b->circuit, open ? 2 : 0);
	if (open)
		metric_add(b->circuit_opens, 1);
}

void
dispatcher_metrics_age(struct dispatcher_metrics *b, int64_t age_us)
{
	metric_observe(b->age, age_us > 0 ? (double)age_us / 1e6 : 0);
}

void
dispatcher_metrics_attempts(struct dispatcher_metrics *b, unsigned attempts)
{
	metric_observe(b->attempts, attempts);
}

void
dispatcher_metrics_dead(struct dispatcher_metrics *b, const char *reason)
{
	char text[64];

	snprintf(text, sizeof(text), "reason=\"%s\"", reason);
	metric_add(counter(b, PREFIX "dead_lettered_total", text,
			   "Dead letters stored, by reason."),
		1);
}

void
dispatcher_metrics_refresh_age(
	struct dispatcher_metrics *b, const char *refresh, int64_t age_ms)
{
	char labels[64], text[160];

	snprintf(labels, sizeof(labels), "refresh=\"%s\"", refresh);
	metric_set(
		metric_gauge(PREFIX "refresh_age_seconds", label(b, labels, text),
			"Time since the backend's functions, address, rules or credentials were last read."),
		(double)age_ms / 1000);
}
