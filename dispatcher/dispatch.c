// SPDX-License-Identifier: Apache-2.0
/* The event loop. */
#define _DEFAULT_SOURCE
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "status.h"
#include "stop.h"
#include "subject.h"

enum {
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

/* Nothing is sent but now and then a probe. */
static bool
paused(const struct dispatcher *d)
{
	const struct queue *queue = d->jobs.ring;

	return d->destination.state == CIRCUIT_OPEN ||
		(!d->fans_out && queue != NULL && queue->circuit.state == CIRCUIT_OPEN);
}

/* How many more events to have in hand, asked for ones included. */
static size_t
budget(struct dispatcher *d, int64_t now_ms)
{
	size_t held = backlog_count(d, now_ms) + inbox_taken(d->inbox), limit = window(d);

	if (d->stopping || dead_letters_failing(d->dead_letters) ||
		!refresh_ready(d->refresher) ||
		d->jobs.bytes >= (size_t)d->options->buffer_bytes || held >= limit)
		return 0;
	if (paused(d)) /* one event that was not tried yet is enough, for the probe */
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
	sources_pull(d->sources, all, paused(d) ? 0 : most / 8, now_ms);
}

static void
on_recreated(void *ctx, const struct origin *origin)
{
	settle_stale(ctx, origin);
}

/* A new event, or one that is held and was redelivered. */
static void
on_message(void *ctx, const struct origin *origin, struct bus_msg *msg,
	const struct jetstream_meta *meta, int64_t now_ms)
{
	struct dispatcher *d = ctx;
	struct job *job = job_find(&d->jobs, origin, meta->stream_seq);

	if (job != NULL && job->stored_us != meta->time_us)
		job->stale = true;
	if (job != NULL && !job->stale) {
		job_redelivered(&d->jobs, job, bus_msg_reply(msg), meta->delivered, now_ms);
		bus_msg_free(msg);
		return;
	}
	if (bus_msg_len(msg) > d->largest)
		d->largest = bus_msg_len(msg);
	accept_message(d, origin, msg, meta, now_ms);
}

/* When the next timer is due, as a wait. */
static int64_t
wait_ms(struct dispatcher *d, int64_t now_ms)
{
	int64_t due = now_ms + (d->filling ? FILL_MS : TICK_MS);

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
		refresh_turn(d->refresher, now_ms);
		dead_letters_turn(d->dead_letters, now_ms);
		sink_turn(d->sink, now_ms);
		settle_progress(d, now_ms);
		backlog_turn(d, now_ms);
		pause_turn(d, now_ms);
		body_fetch_turn(d, window(d), now_ms);
		body_fetch_expire(d, now_ms);
		watchdog_turn(d, now_ms);
		metric_set(d->metrics.in_flight, (double)d->in_flight);
		metric_set(d->metrics.in_memory, (double)d->jobs.n);
	}
	accept_wake_held(d);
	if (!d->stopping)
		send_ready(d, now_ms);
	pull(d, now_ms);
	/* its PING takes the acks and pulls of this turn along */
	ack_flush_turn(d->ack_flush, d->in_flight);
	jobs_sweep(&d->jobs);
	return http_run(d->http,
		inbox_may_wait(d->inbox, d->stopping || send_room(d)) ? wait_ms(d, now_ms) : 0,
		err);
}

/* ---- beginning and end */

static int
open_sources(struct dispatcher *d, struct err *err)
{
	struct sources_config config = { .bus = d->bus,
		.inbox = d->inbox,
		.watcher = d->watcher,
		.durable = d->durable,
		.options = d->options,
		.streams = d->config->streams,
		.n_streams = d->config->n_streams,
		.replay_stream = d->config->replay_stream,
		.expired = d->metrics.expired,
		.redelivered = d->metrics.redelivered,
		.on_message = on_message,
		.on_recreated = on_recreated,
		.ctx = d };

	return sources_open(&d->sources, &config, err);
}

static int
open_all(struct dispatcher *d, struct err *err)
{
	struct ack_flush_config flush = { .bus = d->bus,
		.concurrency = (size_t)d->options->concurrency,
		.batch_max = d->processor->batch_max };
	struct refresher_config refresh = { .metrics = &d->metrics,
		.empty_grace_ms = d->options->empty_grace_ms };
	struct sink_config sink = { .options = d->options, .on_done = settle_sunk, .ctx = d };
	struct dead_letters_config letters = { .bus = d->bus,
		.stream = d->config->dead_stream->name,
		.dispatcher = d->config->name,
		.durable = d->durable,
		.prefix = d->config->prefix,
		.on_stored = settle_stored,
		.ctx = d };
	struct watcher_config watch = {
		.bus = d->bus, .dead_stream = d->config->dead_stream, .metrics = &d->metrics
	};

	dispatcher_metrics_init(&d->metrics, d->processor->type);
	jobs_init(&d->jobs, d->options->retry.initial_ms, d->options->retry.max_ms,
		(uint64_t)clock_wall_us());
	circuit_init(&d->destination, d->options->retry.initial_ms, d->options->retry.max_ms,
		(uint64_t)clock_wall_us() + 1);
	for (size_t i = 0; i < BATCH_MAX; i++)
		event_init(&d->scratch[i]);
	event_init(&d->logged);
	if (filter_open(&d->filter, &d->options->filter, err) != 0 ||
		http_open(&d->http, err) != 0)
		return -1;
	d->inbox = inbox_open(d->http);
	flush.http = watch.http = refresh.http = sink.http = d->http;
	letters.inbox = d->inbox;
	sink.refresher = d->refresher = refresh_open(&refresh);
	if (d->processor->open(&d->self, d->config->processor_config, err) != 0 ||
		dead_letters_open(&d->dead_letters, &letters, err) != 0)
		return -1;
	watch.dead_letters = d->dead_letters;
	d->watcher = watcher_open(&watch);
	if (body_fetch_open(d, err) != 0 || report_open(d, err) != 0 ||
		refresh_add(d->refresher, d->processor->refreshes, d->self, err) != 0 ||
		sink_open(&d->sink, &sink, err) != 0 || open_sources(d, err) != 0 ||
		ack_flush_open(&d->ack_flush, &flush, err) != 0)
		return -1;
	return watcher_start(d->watcher, err);
}

static void
close_all(struct dispatcher *d)
{
	watcher_stop(d->watcher);
	ack_flush_close(d->ack_flush);
	inbox_stop(d->inbox);
	http_close(d->http);
	sink_close(d->sink);
	refresh_close(d->refresher);
	if (d->self != NULL)
		d->processor->close(d->self);
	jobs_free(&d->jobs);
	bus_close(d->bus);
	sources_close(d->sources);
	dead_letters_close(d->dead_letters);
	inbox_close(d->inbox);
	for (size_t i = 0; i < BATCH_MAX; i++)
		event_free(&d->scratch[i]);
	event_free(&d->logged);
	targets_free(&d->targets);
	filter_close(&d->filter);
	watcher_close(d->watcher);
}

/* What is under way may end, the rest goes back to the server at once. */
static void
drain(struct dispatcher *d)
{
	int64_t deadline = clock_monotonic_ms() + SHUTDOWN_MS;
	size_t had = d->jobs.n;
	struct err err;

	d->stopping = true;
	sources_end(d->sources, deadline - SHUTDOWN_MS / 2);
	bus_flush(d->bus, 2000, &err); /* acks of what is done */
	do {
		settle_give_back(d);
		if (turn(d, &err) != 0)
			break;
	} while ((d->jobs.n > 0 || !inbox_empty(d->inbox)) && clock_monotonic_ms() < deadline);
	settle_give_back(d);
	pause_turn(d, INT64_MAX);
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
	failed = open_all(d, err);
	if (!failed) {
		log_info("started", L_STR("backend", d->processor->type),
			L_STR("consumer", d->durable),
			L_INT("streams", (int64_t)sources_n(d->sources)),
			L_INT("concurrency", d->options->concurrency));
		while (!failed && !stop_requested())
			failed = turn(d, err);
		drain(d);
	}
	close_all(d);
	free(d);
	return failed;
}
