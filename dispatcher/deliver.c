// SPDX-License-Identifier: Apache-2.0
#include "deliver_internal.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "pause.h"

struct deliver *
deliver_open(const struct deliver_config *config)
{
	struct deliver *deliver = mem_alloc(sizeof(*deliver));
	const struct dispatch_retry *retry = &config->options->retry;

	deliver->config = *config;
	circuit_init(&deliver->destination.circuit, retry->initial_ms, retry->max_ms,
		(uint64_t)clock_wall_us() + 1);
	for (size_t i = 0; i < DELIVER_BATCH_MAX; i++)
		event_init(&deliver->event[i]);
	return deliver;
}

void
deliver_close(struct deliver *deliver)
{
	if (deliver == NULL)
		return;
	for (size_t i = 0; i < DELIVER_BATCH_MAX; i++)
		event_free(&deliver->event[i]);
	free(deliver);
}

static size_t
queue_limit(const struct deliver *d)
{
	int64_t limit = d->config.options->concurrency_per_target;

	if (limit <= 0)
		limit = d->config.jobs->fans_out ? d->config.options->concurrency / 4
						 : d->config.options->concurrency;
	return limit > 0 ? (size_t)limit : 1;
}

/*
 * Half of the slots are for those that have few: slow targets together must not take all of
 * them.
 */
size_t
deliver_target_limit(const struct deliver *d)
{
	size_t limit = queue_limit(d), all = (size_t)d->config.options->concurrency;
	size_t share = all / 2 / (d->config.jobs->n_queues > 0 ? d->config.jobs->n_queues : 1);

	if (!d->config.jobs->fans_out || d->in_flight < all / 2 || share >= limit)
		return limit;
	return share > 0 ? share : 1;
}

bool
deliver_room(const struct deliver *d)
{
	return d->in_flight + ack_flush_slots(d->config.ack_flush) <
		(size_t)d->config.options->concurrency;
}

/* More events will come soon and fill the request. */
static bool
filling(const struct deliver *d, const struct queue *queue, int64_t now_ms)
{
	return d->more && queue->n_ready < d->config.processor->batch_max &&
		queue->circuit.state == CIRCUIT_CLOSED &&
		now_ms - TAILQ_FIRST(&queue->ready)->job->received_ms < DELIVER_FILL_MS;
}

static bool
may_send(struct deliver *d, struct queue *queue, int64_t now_ms)
{
	bool open = queue->circuit.state == CIRCUIT_OPEN;

	if (queue->n_ready == 0 && !(open && queue->waiting.n > 0))
		return false;
	if (filling(d, queue, now_ms)) {
		d->filling = true;
		return false;
	}
	return queue->in_flight < deliver_target_limit(d) &&
		circuit_allows(&d->destination.circuit, now_ms) &&
		circuit_allows(&queue->circuit, now_ms);
}

/* Passes the outcome of each event on, and ends the request. */
static void
finish(struct request *r, const struct outcome *outcomes)
{
	struct deliver *d = r->deliver;
	struct queue *queue = r->queue;

	for (size_t i = 0; i < r->n; i++)
		settle_outcome(
			d->config.settle, r->delivery[i], &outcomes[i], r->probe && i == 0);
	if (r->destination_probe)
		circuit_abandon(&d->destination.circuit); /* unless settling has said more */
	queue_release_if_idle(d->config.jobs, queue);
	free(r);
}

/*
 * Whether the destination as a whole answers; only where it has several targets, each with its
 * own circuit.
 */
static void
update_destination(struct request *r, const struct http_response *rsp, int64_t now_ms)
{
	struct deliver *d = r->deliver;
	bool changed;

	if (rsp->error == ERR_CONNECT || rsp->error == ERR_TLS)
		changed = circuit_failure(&d->destination.circuit, r->delivery[0]->job->seq,
			r->destination_probe, -1, now_ms);
	else if (rsp->status != 0)
		changed = circuit_success(&d->destination.circuit, now_ms);
	else
		return;
	r->destination_probe = false;
	if (changed)
		pause_destination(
			d->config.metrics, d->config.jobs, &d->destination, &rsp->why);
}

static void
on_done(void *ctx, const struct http_response *rsp)
{
	struct request *r = ctx;
	struct deliver *d = r->deliver;
	struct outcome outcomes[DELIVER_BATCH_MAX];
	struct target target = { .name = r->queue->name };

	for (size_t i = 0; i < r->n; i++) {
		outcomes[i] = (struct outcome){ .retry_after_ms = -1 };
		r->delivery[i]->http1 |= rsp->stream_broken;
	}
	d->config.processor->judge(d->config.self, &target, rsp, r->n, outcomes);
	dispatcher_metrics_response(d->config.metrics, rsp, r->n);
	d->in_flight--;
	r->queue->in_flight--;
	if (d->config.jobs->fans_out)
		update_destination(r, rsp, clock_monotonic_ms());
	finish(r, outcomes);
}

/* Nothing was sent, and not because of the events: an attempt that failed. */
static void
fail_to_send(struct request *r, const struct err *err)
{
	struct outcome outcomes[DELIVER_BATCH_MAX];

	for (size_t i = 0; i < r->n; i++)
		outcomes[i] = (struct outcome){
			.retry_after_ms = -1, .refresh = err->code == ERR_AUTH, .why = *err
		};
	finish(r, outcomes);
}

/*
 * The processor cannot make a request of them. An event that is at fault is found by sending
 * each alone. Credentials or an address that cannot be used are no fault of the events: they
 * are tried again, and the circuit counts a failure.
 */
static void
refuse(struct request *r, const struct err *err)
{
	if (err->code == ERR_AUTH || err->code == ERR_NOT_FOUND) {
		fail_to_send(r, err);
		return;
	}
	for (size_t i = 0; i < r->n; i++) {
		r->delivery[i]->batch_max = 1;
		if (r->n > 1) {
			delivery_ready(r->delivery[i]);
		} else {
			delivery_explain(r->delivery[i], 0, err->text);
			settle_unsent(
				r->deliver->config.settle, r->delivery[i], ENDING_UNENCODABLE);
		}
	}
	if (r->probe)
		circuit_abandon(&r->queue->circuit);
	if (r->destination_probe)
		circuit_abandon(&r->deliver->destination.circuit);
	free(r);
}

/* One request of this queue; false when there was nothing to send after all. */
static bool
send_one(struct deliver *d, struct queue *queue, int64_t now_ms)
{
	struct request *r = mem_alloc(sizeof(*r));
	struct target target = { .name = queue->name };
	const struct event *events[DELIVER_BATCH_MAX];
	struct http_request *req;
	struct err err = { .code = ERR_NONE };

	*r = (struct request){ .deliver = d,
		.queue = queue,
		.probe = queue->circuit.state == CIRCUIT_OPEN,
		.destination_probe = d->destination.circuit.state == CIRCUIT_OPEN };
	deliver_fill(r, now_ms);
	if (r->n == 0) {
		free(r);
		return false;
	}
	for (size_t i = 0; i < r->n; i++)
		events[i] = &d->event[i];
	if (r->probe)
		circuit_begin(&queue->circuit);
	if (r->destination_probe)
		circuit_begin(&d->destination.circuit);
	req = http_request_new(d->config.http);
	req->timeout_ms = d->config.options->retry.timeout_ms > 0
		? d->config.options->retry.timeout_ms
		: d->config.options->timeout_ms;
	if (d->config.processor->encode(
		    d->config.self, &(struct batch){ &target, events, r->n }, req, &err) != 0) {
		http_request_free(d->config.http, req);
		refuse(r, &err);
		return true;
	}
	if (queue->url == NULL || strcmp(queue->url, buf_str(&req->url)) != 0) {
		free(queue->url);
		queue->url = mem_strdup(buf_str(&req->url));
	}
	for (size_t i = 0; i < r->n; i++) {
		struct delivery *delivery = r->delivery[i];

		req->http1 |= delivery->http1;
		job_set_tried(d->config.jobs, delivery->job);
	}
	if (http_submit(d->config.http, req, on_done, r, &err) != 0) {
		fail_to_send(r, &err);
		return true;
	}
	d->in_flight++;
	queue->in_flight++;
	return true;
}

void
deliver_turn(struct deliver *d, int64_t now_ms)
{
	struct jobs *jobs = d->config.jobs;
	size_t idle = 0; /* queues in a row without anything to send */

	d->filling = false;
	while (idle < jobs->n_queues && deliver_room(d)) {
		struct queue *queue = queue_turn(jobs);

		delivery_wake_due(queue, now_ms);
		if (may_send(d, queue, now_ms) && send_one(d, queue, now_ms))
			idle = 0;
		else
			idle++;
	}
}

void
deliver_expect_more(struct deliver *d, bool more)
{
	d->more = more;
}

bool
deliver_filling(const struct deliver *d)
{
	return d->filling;
}

size_t
deliver_in_flight(const struct deliver *d)
{
	return d->in_flight;
}

bool
deliver_paused(const struct deliver *d)
{
	const struct jobs *jobs = d->config.jobs;

	return d->destination.circuit.state == CIRCUIT_OPEN ||
		(!jobs->fans_out && !TAILQ_EMPTY(&jobs->queues) &&
			TAILQ_FIRST(&jobs->queues)->circuit.state == CIRCUIT_OPEN);
}

void
deliver_report(const struct deliver *d, size_t paused_targets, bool ready)
{
	struct dispatcher_metrics *metrics = d->config.metrics;

	metric_set(metrics->in_flight, (double)d->in_flight);
	dispatcher_metrics_backend(metrics, ready && !deliver_paused(d),
		d->destination.circuit.state == CIRCUIT_OPEN, paused_targets);
}

struct destination_state *
deliver_destination(struct deliver *d)
{
	return &d->destination;
}

void
deliver_reset(struct deliver *d)
{
	d->in_flight = 0;
}
