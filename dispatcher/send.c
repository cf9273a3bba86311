// SPDX-License-Identifier: Apache-2.0
/*
 * Ready deliveries become requests, replies become outcomes. Lanes take turns, so a busy one
 * delays no other.
 */
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "message.h"

struct flight {
	struct dispatcher *d;
	struct queue *queue;
	bool probe, destination_probe;
	size_t n;
	struct delivery *delivery[BATCH_MAX];
};

static size_t
queue_limit(const struct dispatcher *d)
{
	int64_t limit = d->options->concurrency_per_target;

	if (limit <= 0)
		limit = d->fans_out ? d->options->concurrency / 4 : d->options->concurrency;
	return limit > 0 ? (size_t)limit : 1;
}

/*
 * Half of the slots are for those that have few: slow targets together must not take all of
 * them.
 */
size_t
send_limit(const struct dispatcher *d)
{
	size_t limit = queue_limit(d), all = (size_t)d->options->concurrency;
	size_t share = all / 2 / (d->jobs.n_queues > 0 ? d->jobs.n_queues : 1);

	if (!d->fans_out || d->in_flight < all / 2 || share >= limit)
		return limit;
	return share > 0 ? share : 1;
}

bool
send_room(const struct dispatcher *d)
{
	return d->in_flight + ack_flush_slots(d->ack_flush) < (size_t)d->options->concurrency;
}

/* More events are on their way, and would fill the request. */
static bool
filling(const struct dispatcher *d, const struct queue *queue, int64_t now_ms)
{
	return d->more && queue->n_ready < d->processor->batch_max &&
		queue->circuit.state == CIRCUIT_CLOSED &&
		now_ms - queue->ready->job->received_ms < FILL_MS;
}

static bool
may_send(struct dispatcher *d, struct queue *queue, int64_t now_ms)
{
	bool open = queue->circuit.state == CIRCUIT_OPEN;

	if (queue->n_ready == 0 && !(open && queue->n_waiting > 0))
		return false;
	if (filling(d, queue, now_ms)) {
		d->filling = true;
		return false;
	}
	return queue->in_flight < send_limit(d) && circuit_allows(&d->destination, now_ms) &&
		circuit_allows(&queue->circuit, now_ms);
}

/*
 * How well a delivery serves as a probe: at hand before away, not tried before tried, so that
 * one bad event proves nothing.
 */
static int
rank(const struct delivery *delivery)
{
	return 2 * (delivery->job->msg != NULL) + (delivery->attempts == 0);
}

static struct delivery *
pick(struct queue *queue, bool probe)
{
	struct delivery *best = queue->ready, *delivery = best;

	if (!probe)
		return best;
	for (int i = 0; delivery != NULL && rank(best) < 3 && i < 64;
		delivery = delivery->next, i++)
		if (rank(delivery) > rank(best))
			best = delivery;
	return best != NULL ? best : queue->n_waiting > 0 ? queue->waiting[0] : NULL;
}

/* The server has not heard of it for ack_wait, and gave it to somebody else. */
static bool
stale(const struct dispatcher *d, const struct job *job, int64_t now_ms)
{
	return now_ms - job->touched_ms > d->options->ack_wait_ms &&
		job->n_open == job->n_deliveries && job->n_deliveries == 1;
}

/*
 * A target that answered 404 may be gone: asked once more whether the event is for it, it is
 * not, if the processor has looked since. True when the delivery is over.
 */
static bool
drop_if_gone(struct dispatcher *d, struct delivery *delivery, const struct event *ev)
{
	bool wanted = false;
	struct err err;

	if (!d->fans_out || delivery->queue->status != 404)
		return false;
	targets_clear(&d->targets);
	if (processor_route(d->processor, d->self, ev, &d->targets, &err) != 0)
		return false;
	for (size_t i = 0; i < d->targets.n && !wanted; i++)
		wanted = strcmp(d->targets.target[i].name, delivery->target) == 0;
	if (wanted)
		return false;
	log_info("target is gone", L_STR("event", ev->id), L_STR("target", delivery->target));
	settle_unsent(d, delivery, ENDING_GONE);
	return true;
}

/* A held event is not sent next, so its body needs room in the buffer. */
static bool
may_fetch(const struct flight *f, const struct delivery *delivery)
{
	const struct dispatcher *d = f->d;

	return d->jobs.n_fetching < (size_t)d->options->concurrency &&
		!(f->probe && f->queue->fetching > 0) &&
		!(accept_holds(d, delivery) &&
			d->jobs.bytes >= (size_t)d->options->buffer_bytes);
}

/*
 * Takes deliveries off the queue into the flight as far as they fit into one request; their
 * events are in scratch.
 */
static void
load(struct flight *f, int64_t now_ms)
{
	struct dispatcher *d = f->d;
	const struct processor *p = d->processor;
	size_t room = p->weight != NULL ? p->weight_max(d->self) : 0,
	       max = f->probe || f->destination_probe ? 1 : p->batch_max;
	struct delivery *delivery;
	struct err err;

	while (f->n < max && (delivery = pick(f->queue, f->probe)) != NULL) {
		struct event *ev = &d->scratch[f->n];
		size_t weight = 0;

		if (stale(d, delivery->job, now_ms)) {
			settle_drop(d, delivery->job);
			continue;
		}
		if (delivery->job->msg == NULL) {
			if (!may_fetch(f, delivery))
				break;
			body_fetch_request(d, delivery->job, f->queue, now_ms);
			continue;
		}
		if (accept_holds(d, delivery)) {
			accept_again(d, delivery->job);
			continue;
		}
		if (delivery->batch_max < max)
			max = delivery->batch_max;
		if (f->n >= max)
			break;
		/* it was readable when it came */
		if (message_read_event(delivery->job->msg, ev, &err) != 0) {
			delivery_explain(delivery, 0, err.text);
			settle_unsent(d, delivery, ENDING_UNREADABLE);
			continue;
		}
		if (refusals_singled_out(&delivery->queue->refusals, &delivery->refusal)) {
			settle_unsent(d, delivery, ENDING_SINGLED_OUT);
			continue;
		}
		if (drop_if_gone(d, delivery, ev))
			continue;
		if (p->weight != NULL)
			weight = p->weight(d->self, ev);
		if (f->n > 0 && weight > room)
			break;
		room -= weight < room ? weight : room;
		delivery_take(delivery);
		delivery->sent_ms = now_ms;
		delivery->state = DELIVERY_IN_FLIGHT;
		f->delivery[f->n++] = delivery;
	}
}

/* Hands each event's outcome on; the flight is over. */
static void
land(struct flight *f, const struct outcome *outcomes)
{
	struct dispatcher *d = f->d;
	struct queue *queue = f->queue;

	for (size_t i = 0; i < f->n; i++)
		settle_outcome(d, f->delivery[i], &outcomes[i], f->probe && i == 0);
	if (f->destination_probe)
		circuit_abandon(&d->destination); /* unless settling has said more */
	queue_release_if_idle(&d->jobs, queue);
	free(f);
}

/*
 * Whether the destination as a whole answers; only where it has several targets, each with its
 * own circuit.
 */
static void
feed_gate(struct flight *f, const struct http_response *rsp, int64_t now_ms)
{
	struct dispatcher *d = f->d;
	bool changed;

	if (rsp->error == ERR_CONNECT || rsp->error == ERR_TLS)
		changed = circuit_failure(&d->destination, f->delivery[0]->job->seq,
			f->destination_probe, -1, now_ms);
	else if (rsp->status != 0)
		changed = circuit_success(&d->destination, now_ms);
	else
		return;
	f->destination_probe = false;
	if (changed)
		pause_destination(d, &rsp->why);
}

static void
on_done(void *ctx, const struct http_response *rsp)
{
	struct flight *f = ctx;
	struct dispatcher *d = f->d;
	struct outcome outcomes[BATCH_MAX];
	struct target target = { .name = f->queue->name };

	for (size_t i = 0; i < f->n; i++) {
		outcomes[i] = (struct outcome){ .retry_after_ms = -1 };
		f->delivery[i]->http1 |= rsp->stream_broken;
	}
	d->processor->judge(d->self, &target, rsp, f->n, outcomes);
	dispatcher_metrics_response(&d->metrics, rsp, f->n);
	d->in_flight--;
	f->queue->in_flight--;
	if (d->fans_out)
		feed_gate(f, rsp, clock_monotonic_ms());
	land(f, outcomes);
}

/* Nothing was sent, and not because of the events: an attempt that failed. */
static void
fail_to_send(struct flight *f, const struct err *err)
{
	struct outcome outcomes[BATCH_MAX];

	for (size_t i = 0; i < f->n; i++)
		outcomes[i] = (struct outcome){
			.retry_after_ms = -1, .refresh = err->code == ERR_AUTH, .why = *err
		};
	land(f, outcomes);
}

/*
 * The processor cannot make a request of them. An event that is at fault is found by sending
 * each alone; credentials or an address that cannot be used are nobody's fault here: tried
 * again, and the circuit hears of it.
 */
static void
refuse(struct flight *f, const struct err *err)
{
	if (err->code == ERR_AUTH || err->code == ERR_NOT_FOUND) {
		fail_to_send(f, err);
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		f->delivery[i]->batch_max = 1;
		if (f->n > 1) {
			delivery_ready(f->delivery[i]);
		} else {
			delivery_explain(f->delivery[i], 0, err->text);
			settle_unsent(f->d, f->delivery[i], ENDING_UNENCODABLE);
		}
	}
	if (f->probe)
		circuit_abandon(&f->queue->circuit);
	if (f->destination_probe)
		circuit_abandon(&f->d->destination);
	free(f);
}

/* One request of this queue; false when there was nothing to send after all. */
static bool
send_one(struct dispatcher *d, struct queue *queue, int64_t now_ms)
{
	struct flight *f = mem_alloc(sizeof(*f));
	struct target target = { .name = queue->name };
	const struct event *events[BATCH_MAX];
	struct http_request *req;
	struct err err = { .code = ERR_NONE };

	*f = (struct flight){ .d = d,
		.queue = queue,
		.probe = queue->circuit.state == CIRCUIT_OPEN,
		.destination_probe = d->destination.state == CIRCUIT_OPEN };
	load(f, now_ms);
	if (f->n == 0) {
		free(f);
		return false;
	}
	for (size_t i = 0; i < f->n; i++)
		events[i] = &d->scratch[i];
	if (f->probe)
		circuit_begin(&queue->circuit);
	if (f->destination_probe)
		circuit_begin(&d->destination);
	req = http_request_new(d->http);
	req->timeout_ms = d->options->retry.timeout_ms > 0 ? d->options->retry.timeout_ms
							   : d->options->timeout_ms;
	if (d->processor->encode(d->self, &target, events, f->n, req, &err) != 0) {
		http_request_free(d->http, req);
		refuse(f, &err);
		return true;
	}
	if (queue->url == NULL || strcmp(queue->url, buf_str(&req->url)) != 0) {
		free(queue->url);
		queue->url = mem_strdup(buf_str(&req->url));
	}
	for (size_t i = 0; i < f->n; i++) {
		struct delivery *delivery = f->delivery[i];

		req->http1 |= delivery->http1;
		job_set_tried(&d->jobs, delivery->job);
	}
	if (http_submit(d->http, req, on_done, f, &err) != 0) {
		fail_to_send(f, &err);
		return true;
	}
	d->in_flight++;
	queue->in_flight++;
	return true;
}

size_t
send_ready(struct dispatcher *d, int64_t now_ms)
{
	size_t sent = 0, idle = 0;

	d->filling = false;
	if (!refresh_ready(d->refresher) || dead_letters_failing(d->dead_letters))
		return 0;
	while (d->jobs.ring != NULL && idle < d->jobs.n_queues && send_room(d)) {
		struct queue *queue = d->jobs.ring;

		d->jobs.ring = queue->next;
		queue_wake(queue, now_ms);
		if (may_send(d, queue, now_ms) && send_one(d, queue, now_ms)) {
			sent++;
			idle = 0;
		} else {
			idle++;
		}
	}
	return sent;
}
