// SPDX-License-Identifier: Apache-2.0
#include "dispatcher_metrics.h"

#include <stdio.h>

#define PREFIX "vcourier_dispatcher_"
#define UP "vcourier_up"
#define UP_HELP "1 when the peer can be used."
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* of a request: `timeout` is 30 s by default, 60 min at most */
static const struct metric_buckets request_seconds = { 17,
	{ 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
		3600 } };
/* of an event: from one that is delivered at once to one that waits for `retry.maxAge` */
static const struct metric_buckets age_seconds = { 16,
	{ 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600, 6 * 3600,
		24 * 3600 } };
static const struct metric_buckets tries = { 8, { 1, 2, 3, 5, 10, 20, 50, 100 } };

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
histogram(const struct dispatcher_metrics *b, const char *name,
	const struct metric_buckets *buckets, const char *help)
{
	char text[160];

	return metric_histogram(name, label(b, "", text), buckets, help);
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

static struct metric *
dead(const struct dispatcher_metrics *b, const char *reason)
{
	char text[64];

	snprintf(text, sizeof(text), "reason=\"%s\"", reason);
	return counter(
		b, PREFIX "dead_lettered_total", text, "Dead letters stored, by reason.");
}

static struct metric *
unanswered(const struct dispatcher_metrics *b, const char *kind)
{
	return counter(b, PREFIX "errors_total", kind, "Requests without a reply.");
}

/* The sets whose series are looked up when they count: all are there from the start. */
static void
init_sets(struct dispatcher_metrics *b)
{
	static const char *const reasons[] = { "rejected", "gave_up", "invalid_event", "poison",
		"unroutable", "unencodable", "backlog" };
	static const enum err_code errors[] = { ERR_CONNECT, ERR_TLS, ERR_TIMEOUT,
		ERR_PROTOCOL };

	for (size_t i = 0; i < COUNT(reasons); i++)
		dead(b, reasons[i]);
	for (size_t i = 0; i < COUNT(errors); i++)
		unanswered(b, kind_of(errors[i]));
}

static void
init_peers(struct dispatcher_metrics *b)
{
	char text[80];

	bus_metrics_init(&b->nats);
	snprintf(text, sizeof(text), "peer=\"%s\"", b->backend);
	b->backend_up = metric_gauge(UP, text, UP_HELP);
	b->circuit = gauge(b, PREFIX "circuit_state",
		"0: all deliveries run; 2: those to at least one target are paused.");
	b->circuit_opens = counter(b, PREFIX "circuit_opens_total", "",
		"Times that deliveries to a target paused.");
	b->paused_targets = gauge(
		b, PREFIX "paused_targets", "Targets to which deliveries are paused.");
}

static void
init_events(struct dispatcher_metrics *b)
{
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
}

static void
init_work(struct dispatcher_metrics *b)
{
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
	b->stalled_pull = stalls(b, "kind=\"pull\"");
	b->stalled_deliver = stalls(b, "kind=\"deliver\"");
	b->duration = histogram(b, PREFIX "delivery_duration_seconds", &request_seconds,
		"From request to reply.");
	b->age = histogram(b, PREFIX "event_age_at_delivery_seconds", &age_seconds,
		"From storing the event in the stream to the backend's acceptance.");
	b->attempts = histogram(
		b, PREFIX "delivery_attempts", &tries, "Tries until a delivery ended.");
}

void
dispatcher_metrics_init(struct dispatcher_metrics *b, const char *backend)
{
	*b = (struct dispatcher_metrics){ .delivered = NULL };
	snprintf(b->backend, sizeof(b->backend), "%s", backend);
	init_events(b);
	init_work(b);
	init_peers(b);
	init_sets(b);
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
		metric_add(unanswered(b, kind_of(rsp->error)), 1);
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
dispatcher_metrics_pause(struct dispatcher_metrics *b)
{
	metric_add(b->circuit_opens, 1);
}

void
dispatcher_metrics_backend(
	struct dispatcher_metrics *b, bool up, bool down, size_t paused_targets)
{
	metric_set(b->backend_up, up);
	metric_set(b->circuit, down || paused_targets > 0 ? 2 : 0);
	metric_set(b->paused_targets, (double)paused_targets);
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
	metric_add(dead(b, reason), 1);
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
