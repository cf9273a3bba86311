// SPDX-License-Identifier: Apache-2.0
/* Opens the parts of the dispatcher, runs the event loop, and connects their callbacks. */
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dispatcher_metrics.h"
#include "http.h"
#include "inbox.h"
#include "log.h"
#include "mem.h"
#include "pipeline.h"
#include "report.h"
#include "saved_list.h"
#include "sources.h"
#include "status.h"
#include "stop.h"
#include "subject.h"
#include "watchdog.h"
#include "watcher.h"

enum {
	TICK_MS = 100,       /* longest wait: timers are that exact */
	ACCEPT_AT_ONCE = 64, /* messages taken in before replies are read again */
	SHUTDOWN_MS = 20 * 1000,
	FLUSH_MS = 2000,
};

/* The loop's; parts with a thread of their own say so in their headers. */
struct dispatcher {
	const struct dispatcher_config *config;
	char durable[96];
	bool stopping;
	int64_t ticked_ms;

	struct bus *bus;
	struct http *http;
	struct dispatcher_metrics metrics;
	struct inbox *inbox;
	struct pipeline *pipeline;     /* from a message to its end */
	struct discovery *discovery;   /* NULL: without the option */
	struct saved_list *saved_list; /* NULL: the backend has none */
	struct watcher *watcher;
	struct sources *sources;
	struct event_streams streams; /* that are read; sources.h changes them */
	struct report *report;
	struct watchdog watchdog;
};

/* ---- one turn */

static void
watch_over(struct dispatcher *d, int64_t now_ms)
{
	struct watchdog_view view = { .messages = inbox_taken(d->inbox) };

	if (!watchdog_due(&d->watchdog, now_ms))
		return;
	pipeline_view(d->pipeline, &view);
	sources_summary(d->sources, &view.sources);
	if (!watchdog_check(&d->watchdog, &view, &d->metrics, now_ms))
		return;
	pipeline_restart(d->pipeline);
	sources_restart(d->sources);
}

static int64_t
wait_ms(struct dispatcher *d, int64_t now_ms)
{
	if (!inbox_may_wait(d->inbox, d->stopping || pipeline_has_slot(d->pipeline)) ||
		inbox_taken(d->inbox) > 0)
		return 0;
	return pipeline_due(d->pipeline, now_ms, now_ms + TICK_MS) - now_ms;
}

static void
follow_streams(struct dispatcher *d)
{
	struct event_streams wanted;

	if (!d->stopping && wanted_streams_take(d->config->streams, &wanted))
		sources_set(d->sources, &wanted);
}

static int
turn(struct dispatcher *d, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();
	struct pipeline_room room;
	int accepted = 0;

	status_beat();
	sources_turn(d->sources);
	follow_streams(d);
	while (accepted < ACCEPT_AT_ONCE && inbox_next(d->inbox, now_ms))
		accepted++;
	if (now_ms - d->ticked_ms >= TICK_MS) {
		d->ticked_ms = now_ms;
		if (!d->stopping)
			sources_tick(d->sources);
		pipeline_tick(d->pipeline, now_ms);
		watch_over(d, now_ms);
	}
	pipeline_turn(d->pipeline, now_ms);
	room = pipeline_room(d->pipeline, inbox_taken(d->inbox), now_ms);
	sources_pull(d->sources, room.budget, room.least, now_ms);
	pipeline_flush(d->pipeline);
	return http_run(d->http, wait_ms(d, now_ms), err);
}

/* ---- callbacks; ctx is the dispatcher */

static void
on_message(void *ctx, const struct origin *origin, struct bus_msg *msg,
	const struct jetstream_meta *meta, int64_t now_ms)
{
	struct dispatcher *d = ctx;

	pipeline_message(d->pipeline, origin, msg, meta, now_ms);
}

static void
on_recreated(void *ctx, const struct origin *origin)
{
	struct dispatcher *d = ctx;

	pipeline_recreated(d->pipeline, origin);
}

static size_t
on_end(void *ctx, const struct origin *origin)
{
	struct dispatcher *d = ctx;

	return pipeline_give_back_idle(d->pipeline, origin);
}

static void
on_status_request(void *ctx, struct report_status *status)
{
	struct dispatcher *d = ctx;

	pipeline_status(d->pipeline, status);
	status->streams = &d->streams;
}

/* ---- start and end */

static int
open_pipeline(struct dispatcher *d, struct err *err)
{
	struct saved_list_config saved = { .bus = d->bus,
		.http = d->http,
		.durable = d->durable,
		.processor = d->config->processor };
	struct pipeline_config config = { .bus = d->bus,
		.http = d->http,
		.inbox = d->inbox,
		.metrics = &d->metrics,
		.name = d->config->name,
		.durable = d->durable,
		.prefix = d->config->prefix,
		.dead_stream = d->config->dead_stream->name,
		.options = d->config->options,
		.streams = &d->streams,
		.processor = d->config->processor,
		.processor_config = d->config->processor_config };

	config.saved_list = d->saved_list = saved_list_open(&saved);
	return pipeline_open(&d->pipeline, &config, err);
}

static int
open_sources(struct dispatcher *d, struct err *err)
{
	struct watcher_config watcher = { .bus = d->bus,
		.http = d->http,
		.dead_stream = d->config->dead_stream,
		.dead_letters = pipeline_dead_letters(d->pipeline),
		.metrics = &d->metrics,
		.saved_list = d->saved_list };
	struct discovery_config discovery = {
		.bus = d->bus, .prefix = d->config->prefix, .wanted = d->config->streams
	};
	struct sources_config sources = { .bus = d->bus,
		.inbox = d->inbox,
		.durable = d->durable,
		.options = d->config->options,
		.streams = &d->streams,
		.replay_stream = d->config->replay_stream,
		.expired = d->metrics.expired,
		.redelivered = d->metrics.redelivered,
		.on_message = on_message,
		.on_recreated = on_recreated,
		.on_end = on_end,
		.ctx = d };

	if (d->config->options->discover)
		watcher.discovery = d->discovery = discovery_open(&discovery);
	sources.watcher = d->watcher = watcher_open(&watcher);
	return sources_open(&d->sources, &sources, err);
}

static int
open_all(struct dispatcher *d, struct err *err)
{
	struct report_config report = {
		.bus = d->bus, .durable = d->durable, .status = on_status_request, .ctx = d
	};

	dispatcher_metrics_init(&d->metrics, d->config->processor->type);
	if (http_open(&d->http, err) != 0)
		return -1;
	report.inbox = d->inbox = inbox_open(d->http);
	if (open_pipeline(d, err) != 0 || open_sources(d, err) != 0 ||
		pipeline_start(d->pipeline, d->sources, err) != 0 ||
		report_open(&d->report, &report, err) != 0)
		return -1;
	return watcher_start(d->watcher, err);
}

/* Threads first; then what has messages, the bus that made them, and what it called. */
static void
close_all(struct dispatcher *d)
{
	watcher_stop(d->watcher);
	pipeline_stop_acks(d->pipeline);
	inbox_stop(d->inbox);
	http_close(d->http);
	pipeline_free_jobs(d->pipeline);
	bus_close(d->bus);
	pipeline_close(d->pipeline);
	report_close(d->report);
	sources_close(d->sources);
	event_streams_free(&d->streams);
	watcher_close(d->watcher);
	discovery_close(d->discovery);
	saved_list_close(d->saved_list);
	inbox_close(d->inbox);
}

/* Requests under way may end; all other events go back to NATS at once. */
static void
drain(struct dispatcher *d)
{
	int64_t deadline = clock_monotonic_ms() + SHUTDOWN_MS;
	size_t had = pipeline_jobs(d->pipeline);
	struct err err;

	d->stopping = true;
	pipeline_stop(d->pipeline);
	sources_end(d->sources, deadline - SHUTDOWN_MS / 2);
	bus_flush(d->bus, FLUSH_MS, &err); /* acks of what is done */
	do {
		pipeline_give_back_idle(d->pipeline, NULL);
		if (turn(d, &err) != 0)
			break;
	} while ((pipeline_jobs(d->pipeline) > 0 || !inbox_empty(d->inbox)) &&
		clock_monotonic_ms() < deadline);
	pipeline_give_back_idle(d->pipeline, NULL);
	pipeline_end(d->pipeline);
	log_info("deliveries end", L_INT("in_memory", (int64_t)had),
		L_INT("left", (int64_t)pipeline_jobs(d->pipeline)));
	bus_flush(d->bus, FLUSH_MS, &err);
}

static void
set_durable(struct dispatcher *d)
{
	struct buf token;

	buf_init(&token, sizeof(d->durable) - 1);
	subject_add_token(&token, d->config->name, strlen(d->config->name));
	snprintf(d->durable, sizeof(d->durable), "%s", buf_str(&token));
	buf_free(&token);
}

int
dispatcher_run(const struct dispatcher_config *config, struct bus *bus, struct err *err)
{
	struct dispatcher *d = mem_alloc(sizeof(*d));
	int failed;

	d->config = config;
	d->bus = bus;
	set_durable(d);
	failed = open_all(d, err);
	if (!failed) {
		follow_streams(d);
		log_info("deliveries begin", L_STR("backend", config->processor->type),
			L_STR("consumer", d->durable),
			L_INT("streams", (int64_t)sources_n(d->sources)),
			L_INT("concurrency", config->options->concurrency));
		while (!failed && !stop_requested())
			failed = turn(d, err);
		drain(d);
	}
	close_all(d);
	free(d);
	return failed;
}
