// SPDX-License-Identifier: Apache-2.0
#include "parts.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"

static void
on_recreated(void *ctx, const struct origin *origin)
{
	settle_stale(((struct dispatcher *)ctx)->settle, origin);
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
	deliver_expect_more(d->deliver, meta->pending > 0);
	accept_message(d->accept, origin, msg, meta, now_ms);
}

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

static void
on_ack(void *ctx, const struct job *job)
{
	struct dispatcher *d = ctx;

	sources_note_acked(d->sources, job->origin, job->seq, job->stored_us);
}

/* Where the events go that end: settled, and if need be to the dead letters and the sink. */
static int
open_ends(struct dispatcher *d, struct err *err)
{
	struct ack_flush_config flush = { .bus = d->bus,
		.http = d->http,
		.concurrency = (size_t)d->options->concurrency,
		.batch_max = d->processor->batch_max };
	struct settle_config settle = { .bus = d->bus,
		.jobs = &d->jobs,
		.metrics = &d->metrics,
		.options = d->options,
		.refresher = d->refresher,
		.on_ack = on_ack,
		.ctx = d };
	struct dead_letters_config letters = { .bus = d->bus,
		.inbox = d->inbox,
		.stream = d->config->dead_stream->name,
		.dispatcher = d->config->name,
		.durable = d->durable,
		.prefix = d->config->prefix,
		.on_stored = settle_stored };
	struct sink_config sink = { .options = d->options,
		.http = d->http,
		.refresher = d->refresher,
		.on_done = settle_sunk };

	if (ack_flush_open(&d->ack_flush, &flush, err) != 0)
		return -1;
	settle.ack_flush = d->ack_flush;
	letters.ctx = sink.ctx = d->settle = settle_open(&settle);
	if (dead_letters_open(&d->dead_letters, &letters, err) != 0 ||
		sink_open(&d->sink, &sink, err) != 0)
		return -1;
	settle_use(d->settle, d->dead_letters, d->sink);
	return 0;
}

/* The way of an event to the backend. */
static int
open_delivery(struct dispatcher *d, struct err *err)
{
	struct accept_config accept = { .jobs = &d->jobs,
		.settle = d->settle,
		.options = d->options,
		.processor = d->processor,
		.self = d->self };
	struct body_fetch_config fetch = { .bus = d->bus,
		.inbox = d->inbox,
		.jobs = &d->jobs,
		.settle = d->settle,
		.sources = d->sources };
	struct deliver_config deliver = { .jobs = &d->jobs,
		.http = d->http,
		.settle = d->settle,
		.ack_flush = d->ack_flush,
		.metrics = &d->metrics,
		.options = d->options,
		.processor = d->processor,
		.self = d->self };
	struct backlog_config backlog = { .jobs = &d->jobs,
		.settle = d->settle,
		.metrics = &d->metrics,
		.options = d->options };

	if (accept_open(&d->accept, &accept, err) != 0 ||
		body_fetch_open(&d->body_fetch, &fetch, err) != 0)
		return -1;
	deliver.accept = d->accept;
	deliver.body_fetch = d->body_fetch;
	backlog.deliver = d->deliver = deliver_open(&deliver);
	d->backlog = backlog_open(&backlog);
	return 0;
}

int
parts_open(struct dispatcher *d, struct err *err)
{
	struct refresher_config refresh = { .metrics = &d->metrics,
		.empty_grace_ms = d->options->empty_grace_ms };
	struct watcher_config watch = {
		.bus = d->bus, .dead_stream = d->config->dead_stream, .metrics = &d->metrics
	};

	dispatcher_metrics_init(&d->metrics, d->processor->type);
	jobs_init(&d->jobs, d->options->retry.initial_ms, d->options->retry.max_ms,
		(uint64_t)clock_wall_us());
	if (http_open(&d->http, err) != 0)
		return -1;
	d->inbox = inbox_open(d->http);
	refresh.http = watch.http = d->http;
	d->refresher = refresh_open(&refresh);
	if (d->processor->open(&d->self, d->config->processor_config, err) != 0 ||
		refresh_add(d->refresher, d->processor->refreshes, d->self, err) != 0 ||
		open_ends(d, err) != 0)
		return -1;
	watch.dead_letters = d->dead_letters;
	d->watcher = watcher_open(&watch);
	if (open_sources(d, err) != 0 || open_delivery(d, err) != 0 || report_open(d, err) != 0)
		return -1;
	return watcher_start(d->watcher, err);
}

void
parts_close(struct dispatcher *d)
{
	watcher_stop(d->watcher);
	ack_flush_close(d->ack_flush);
	inbox_stop(d->inbox);
	http_close(d->http);
	backlog_close(d->backlog);
	deliver_close(d->deliver);
	accept_close(d->accept);
	sink_close(d->sink);
	refresh_close(d->refresher);
	if (d->self != NULL)
		d->processor->close(d->self);
	settle_close(d->settle);
	jobs_free(&d->jobs);
	bus_close(d->bus); /* nothing comes from its threads any more */
	sources_close(d->sources);
	body_fetch_close(d->body_fetch);
	dead_letters_close(d->dead_letters);
	inbox_close(d->inbox);
	watcher_close(d->watcher);
}
