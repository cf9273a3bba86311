// SPDX-License-Identifier: Apache-2.0
/* The event loop. */
#define _DEFAULT_SOURCE
#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "evict.h"
#include "filter.h"
#include "log.h"
#include "mem.h"
#include "pause.h"
#include "status.h"
#include "stop.h"
#include "subject.h"

enum {
	SHUTDOWN_MS = 20 * 1000,
	TICK_MS = 100,       /* longest wait: timers are that exact */
	ACCEPT_AT_ONCE = 64, /* messages taken in before replies are looked at again */
	/*
	 * beside what is in flight, as a fast backend takes it while a pull is answered:
	 * requests at most, events at least
	 */
	RESERVE_MIN = 16,
	RESERVE_MAX = 128,
};

/* ---- one turn */

static size_t
window(const struct dispatcher *d)
{
	size_t all = (size_t)d->options->concurrency;

	if (d->options->ordering == ORDERING_STRICT)
		return 1;
	return (all + (all < RESERVE_MAX ? all : RESERVE_MAX)) * d->processor->batch_max +
		RESERVE_MIN;
}

/*
 * Nothing is delivered before the backend is known, or while a dead letter cannot be stored.
 */
static bool
may_deliver(const struct dispatcher *d)
{
	return refresh_ready(d->refresher) && !dead_letters_failing(d->dead_letters);
}

/* How many more events to hold, those that are being pulled included. */
static size_t
budget(struct dispatcher *d, int64_t now_ms)
{
	size_t held = backlog_active(d->backlog, now_ms) + inbox_taken(d->inbox),
	       limit = window(d);

	if (d->stopping || !may_deliver(d) ||
		d->jobs.bytes >= (size_t)d->options->buffer_bytes || held >= limit)
		return 0;
	if (deliver_paused(
		    d->deliver)) /* one event that was not tried yet is enough, for the probe */
		return d->jobs.n_untried == 0 ? 1 : 0;
	return limit - held;
}

/*
 * Each pull costs the server a request: one is worth it for an eighth of what may be in hand.
 * They overlap.
 */
static void
pull(struct dispatcher *d, int64_t now_ms)
{
	size_t all = budget(d, now_ms), most = window(d),
	       largest = d->largest > 2048 ? d->largest : 2048;
	size_t fan_out = d->processor->fan_out != NULL ? d->processor->fan_out(d->self) : 1;
	size_t bytes = (size_t)d->options->buffer_bytes, left;

	largest += job_delivery_bytes(fan_out);
	left = d->jobs.bytes < bytes ? (bytes - d->jobs.bytes) / largest + 1 : 0;
	most = most < bytes / largest ? most : bytes / largest;
	all = all < left ? all : left;
	sources_pull(d->sources, all, deliver_paused(d->deliver) ? 0 : most / 8, now_ms);
}

/* When the next timer is due, as a wait. */
static int64_t
wait_ms(struct dispatcher *d, int64_t now_ms)
{
	int64_t due = now_ms + (deliver_filling(d->deliver) ? DELIVER_FILL_MS : TICK_MS);

	if (inbox_taken(d->inbox) > 0)
		return 0;
	for (size_t i = 0; i < d->jobs.n_queues && i < 64;
		i++, d->jobs.ring = d->jobs.ring->next) {
		const struct queue *queue = d->jobs.ring;
		int64_t queue_at = queue->circuit.state == CIRCUIT_OPEN
			? queue->circuit.probe_at_ms
			: queue_due(queue);

		if (queue_at > now_ms && queue_at < due)
			due = queue_at;
	}
	return due - now_ms;
}

static void
evict(struct dispatcher *d, int64_t now_ms)
{
	struct evict_limits limits = { .window = window(d),
		.bytes = (size_t)d->options->buffer_bytes };

	if (deliver_in_flight(d->deliver) < (size_t)d->options->concurrency &&
		!deliver_paused(d->deliver))
		evict_turn(&d->jobs, &limits, now_ms);
}

/* What is due ten times a second. */
static void
tick(struct dispatcher *d, int64_t now_ms)
{
	struct destination_state *destination = deliver_destination(d->deliver);

	refresh_turn(d->refresher, now_ms);
	dead_letters_turn(d->dead_letters, now_ms);
	sink_turn(d->sink, now_ms);
	settle_progress(d->settle, now_ms);
	backlog_turn(d->backlog,
		!d->stopping && !dead_letters_failing(d->dead_letters) &&
			destination->circuit.state == CIRCUIT_CLOSED,
		now_ms);
	pause_turn(&d->jobs, destination, now_ms);
	evict(d, now_ms);
	body_fetch_turn(d->body_fetch, now_ms);
	watchdog_turn(d, now_ms);
	metric_set(d->metrics.in_flight, (double)deliver_in_flight(d->deliver));
	metric_set(d->metrics.in_memory, (double)d->jobs.n);
}

static int
turn(struct dispatcher *d, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();
	int accepted = 0;

	status_beat();
	sources_turn(d->sources);
	while (accepted < ACCEPT_AT_ONCE && inbox_next(d->inbox, now_ms))
		accepted++;
	if (now_ms - d->ticked_ms >= TICK_MS) {
		d->ticked_ms = now_ms;
		tick(d, now_ms);
	}
	accept_wake_held(d->accept);
	if (!d->stopping && may_deliver(d))
		deliver_turn(d->deliver, now_ms);
	pull(d, now_ms);
	/* its PING takes the acks and pulls of this turn along */
	ack_flush_turn(d->ack_flush, deliver_in_flight(d->deliver));
	jobs_sweep(&d->jobs);
	return http_run(d->http,
		inbox_may_wait(d->inbox, d->stopping || deliver_room(d->deliver))
			? wait_ms(d, now_ms)
			: 0,
		err);
}

/* ---- the end */

/* Requests under way may end; all other events go back to NATS at once. */
static void
drain(struct dispatcher *d)
{
	int64_t deadline = clock_monotonic_ms() + SHUTDOWN_MS;
	size_t had = d->jobs.n;
	struct err err;

	d->stopping = true;
	settle_stop(d->settle);
	sources_end(d->sources, deadline - SHUTDOWN_MS / 2);
	bus_flush(d->bus, 2000, &err); /* acks of what is done */
	do {
		settle_give_back_idle(d->settle);
		if (turn(d, &err) != 0)
			break;
	} while ((d->jobs.n > 0 || !inbox_empty(d->inbox)) && clock_monotonic_ms() < deadline);
	settle_give_back_idle(d->settle);
	pause_turn(&d->jobs, deliver_destination(d->deliver), INT64_MAX);
	log_info(
		"stopped", L_INT("in_memory", (int64_t)had), L_INT("left", (int64_t)d->jobs.n));
	bus_flush(d->bus, 2000, &err);
}

int
dispatcher_run(const struct dispatcher_config *config, struct bus *bus, struct err *err)
{
	struct dispatcher *d = mem_alloc(sizeof(*d));
	struct buf token;
	int failed;

	d->config = config;
	d->options = config->options;
	d->processor = config->processor;
	d->bus = bus;
	buf_init(&token, sizeof(d->durable) - 1);
	subject_add_token(&token, config->name, strlen(config->name));
	snprintf(d->durable, sizeof(d->durable), "%s", buf_str(&token));
	buf_free(&token);
	failed = parts_open(d, err);
	if (!failed) {
		log_info("started", L_STR("backend", d->processor->type),
			L_STR("consumer", d->durable),
			L_INT("streams", (int64_t)sources_n(d->sources)),
			L_INT("concurrency", d->options->concurrency));
		while (!failed && !stop_requested())
			failed = turn(d, err);
		drain(d);
	}
	parts_close(d);
	free(d);
	return failed;
}
