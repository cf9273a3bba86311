// SPDX-License-Identifier: Apache-2.0
#include "pipeline.h"

#include <stdlib.h>

#include "accept.h"
#include "ack_flush.h"
#include "backlog.h"
#include "body_fetch.h"
#include "clock.h"
#include "deliver.h"
#include "evict.h"
#include "mem.h"
#include "pause.h"
#include "refresh.h"
#include "settle.h"
#include "sink.h"
#include "window.h"

enum {
	LEAST_EVENT_BYTES = 2048, /* assumed until a larger one was seen */
	QUEUES_AT_ONCE = 64,      /* whose timers one turn reads */
};

struct pipeline {
	struct pipeline_config config;
	struct window_config window;
	void *self; /* the processor's */
	bool stopping;
	size_t largest; /* bytes of a message */

	struct jobs jobs;
	struct refresher *refresher;
	struct ack_flush *ack_flush;
	struct settle *settle;
	struct dead_letters *dead_letters;
	struct sink *sink; /* NULL: none is configured */
	struct accept *accept;
	struct body_fetch *body_fetch;
	struct deliver *deliver;
	struct backlog *backlog;
};

/* ---- open and close */

static void
on_ack(void *pipeline, const struct job *job)
{
	(void)pipeline;
	sources_note_acked(job->origin, job->seq, job->stored_us);
}

/* Where events end: settled, and if need be in the dead letters and at the sink. */
static int
open_ends(struct pipeline *p, struct err *err)
{
	const struct pipeline_config *config = &p->config;
	struct ack_flush_config flush = { .bus = config->bus,
		.http = config->http,
		.concurrency = p->window.concurrency,
		.batch_max = p->window.batch_max };
	struct settle_config settle = { .bus = config->bus,
		.jobs = &p->jobs,
		.metrics = config->metrics,
		.options = config->options,
		.refresher = p->refresher,
		.on_ack = on_ack,
		.ctx = p };
	struct dead_letters_config letters = { .bus = config->bus,
		.inbox = config->inbox,
		.stream = config->dead_stream,
		.dispatcher = config->name,
		.durable = config->durable,
		.prefix = config->prefix,
		.streams = config->streams,
		.on_stored = settle_stored };
	struct sink_config sink = { .options = config->options,
		.http = config->http,
		.refresher = p->refresher,
		.on_done = settle_sunk };

	if (ack_flush_open(&p->ack_flush, &flush, err) != 0)
		return -1;
	settle.ack_flush = p->ack_flush;
	letters.ctx = sink.ctx = p->settle = settle_open(&settle);
	if (dead_letters_open(&p->dead_letters, &letters, err) != 0 ||
		sink_open(&p->sink, &sink, err) != 0)
		return -1;
	settle_use(p->settle, p->dead_letters, p->sink);
	return 0;
}

int
pipeline_open(struct pipeline **pipeline, const struct pipeline_config *config, struct err *err)
{
	const struct dispatch_options *options = config->options;
	struct refresher_config refresh = { .http = config->http,
		.metrics = config->metrics,
		.empty_grace_ms = options->empty_grace_ms };
	struct pipeline *p = mem_alloc(sizeof(*p));

	*pipeline = p;
	p->config = *config;
	p->largest = LEAST_EVENT_BYTES;
	p->window = (struct window_config){ .concurrency = (size_t)options->concurrency,
		.batch_max = config->processor->batch_max,
		.buffer_bytes = (size_t)options->buffer_bytes,
		.strict = options->ordering == ORDERING_STRICT };
	jobs_init(&p->jobs, options->retry.initial_ms, options->retry.max_ms,
		(uint64_t)clock_wall_us());
	p->refresher = refresh_open(&refresh);
	if (config->processor->open(&p->self, config->processor_config, err) != 0 ||
		refresh_add(p->refresher, config->processor->refreshes, p->self, err) != 0)
		return -1;
	return open_ends(p, err);
}

int
pipeline_start(struct pipeline *p, struct sources *sources, struct err *err)
{
	const struct pipeline_config *config = &p->config;
	struct accept_config accept = { .jobs = &p->jobs,
		.settle = p->settle,
		.options = config->options,
		.streams = config->streams,
		.processor = config->processor,
		.self = p->self };
	struct body_fetch_config fetch = { .bus = config->bus,
		.inbox = config->inbox,
		.jobs = &p->jobs,
		.settle = p->settle,
		.sources = sources };
	struct deliver_config deliver = { .jobs = &p->jobs,
		.http = config->http,
		.settle = p->settle,
		.ack_flush = p->ack_flush,
		.metrics = config->metrics,
		.options = config->options,
		.processor = config->processor,
		.self = p->self };
	struct backlog_config backlog = { .jobs = &p->jobs,
		.settle = p->settle,
		.metrics = config->metrics,
		.options = config->options };

	if (accept_open(&p->accept, &accept, err) != 0 ||
		body_fetch_open(&p->body_fetch, &fetch, err) != 0)
		return -1;
	deliver.accept = p->accept;
	deliver.body_fetch = p->body_fetch;
	backlog.deliver = p->deliver = deliver_open(&deliver);
	p->backlog = backlog_open(&backlog);
	return 0;
}

void
pipeline_stop_acks(struct pipeline *p)
{
	if (p == NULL)
		return;
	ack_flush_close(p->ack_flush);
	p->ack_flush = NULL;
}

void
pipeline_free_jobs(struct pipeline *p)
{
	if (p == NULL)
		return;
	backlog_close(p->backlog);
	deliver_close(p->deliver);
	accept_close(p->accept);
	sink_close(p->sink);
	refresh_close(p->refresher);
	if (p->self != NULL)
		p->config.processor->close(p->self);
	settle_close(p->settle);
	jobs_free(&p->jobs);
}

void
pipeline_close(struct pipeline *p)
{
	if (p == NULL)
		return;
	body_fetch_close(p->body_fetch);
	dead_letters_close(p->dead_letters);
	free(p);
}

/* ---- messages */

void
pipeline_message(struct pipeline *p, const struct origin *origin, struct bus_msg *msg,
	const struct jetstream_meta *meta, int64_t now_ms)
{
	struct job *job = job_find(&p->jobs, origin, meta->stream_seq);

	if (job != NULL && job->stored_us != meta->time_us) {
		settle_stale(p->settle, job);
	} else if (job != NULL) {
		job_redelivered(&p->jobs, job, bus_msg_reply(msg), meta->delivered, now_ms);
		bus_msg_free(msg);
		return;
	}
	if (bus_msg_len(msg) > p->largest)
		p->largest = bus_msg_len(msg);
	deliver_expect_more(p->deliver, meta->pending > 0);
	accept_message(p->accept, origin, msg, meta, now_ms);
}

void
pipeline_recreated(struct pipeline *p, const struct origin *origin)
{
	settle_recreated(p->settle, origin);
}

/* ---- each turn */

/* Nothing is delivered before the backend is known, or while no dead letter can be stored. */
static bool
may_deliver(const struct pipeline *p)
{
	return !p->stopping && refresh_ready(p->refresher) &&
		!dead_letters_failing(p->dead_letters);
}

static void
evict(struct pipeline *p, int64_t now_ms)
{
	struct evict_limits limits = { .window = window_size(&p->window),
		.bytes = p->window.buffer_bytes };

	if (deliver_in_flight(p->deliver) < p->window.concurrency &&
		!deliver_paused(p->deliver))
		evict_turn(&p->jobs, &limits, now_ms);
}

void
pipeline_tick(struct pipeline *p, int64_t now_ms)
{
	struct destination_state *destination = deliver_destination(p->deliver);

	if (saved_list_follow(p->config.saved_list, p->self))
		refresh_turn(p->refresher, now_ms);
	dead_letters_turn(p->dead_letters, now_ms);
	sink_turn(p->sink, now_ms);
	settle_progress(p->settle, now_ms);
	backlog_turn(p->backlog,
		!p->stopping && !dead_letters_failing(p->dead_letters) &&
			destination->circuit.state == CIRCUIT_CLOSED,
		now_ms);
	deliver_report(p->deliver, pause_turn(&p->jobs, destination, now_ms),
		refresh_ready(p->refresher));
	evict(p, now_ms);
	body_fetch_turn(p->body_fetch, now_ms);
	metric_set(p->config.metrics->in_memory, (double)p->jobs.n);
}

void
pipeline_turn(struct pipeline *p, int64_t now_ms)
{
	if (saved_list_restore(p->config.saved_list, p->self))
		refresh_turn(p->refresher, now_ms);
	accept_wake_held(p->accept);
	ack_flush_wait(p->ack_flush, deliver_in_flight(p->deliver));
	if (may_deliver(p))
		deliver_turn(p->deliver, now_ms);
}

void
pipeline_flush(struct pipeline *p)
{
	ack_flush_turn(p->ack_flush, deliver_in_flight(p->deliver));
	jobs_sweep(&p->jobs);
}

struct pipeline_room
pipeline_room(struct pipeline *p, size_t messages, int64_t now_ms)
{
	const struct processor *processor = p->config.processor;
	size_t targets = processor->fan_out != NULL ? processor->fan_out(p->self) : 1;
	struct window_state state = {
		.held = backlog_active(p->backlog, now_ms) + messages,
		.bytes = p->jobs.bytes,
		.largest = p->largest + job_delivery_bytes(targets),
		.n_untried = p->jobs.n_untried,
		.stopped = !may_deliver(p),
		.paused = deliver_paused(p->deliver),
	};

	return (struct pipeline_room){ .budget = window_budget(&p->window, &state),
		.least = window_least(&p->window, &state) };
}

bool
pipeline_has_slot(const struct pipeline *p)
{
	return deliver_room(p->deliver);
}

int64_t
pipeline_due(struct pipeline *p, int64_t now_ms, int64_t until_ms)
{
	int64_t due = deliver_filling(p->deliver) ? now_ms + DELIVER_FILL_MS : until_ms;
	struct jobs *jobs = &p->jobs;

	for (size_t i = 0; i < jobs->n_queues && i < QUEUES_AT_ONCE; i++) {
		const struct queue *queue = queue_turn(jobs);
		int64_t queue_at = queue->circuit.state == CIRCUIT_OPEN
			? queue->circuit.probe_at_ms
			: queue_due(queue);

		if (queue_at > now_ms && queue_at < due)
			due = queue_at;
	}
	return due;
}

/* ---- what others report */

void
pipeline_status(struct pipeline *p, struct report_status *status)
{
	const struct destination_state *destination = deliver_destination(p->deliver);
	const struct queue *longest = queue_longest_paused(&p->jobs, &status->paused_targets);
	int64_t now_ms = clock_monotonic_ms(), since_ms = now_ms;

	status->in_flight = deliver_in_flight(p->deliver);
	status->in_memory = p->jobs.n;
	status->targets = p->jobs.n_queues - accept_has_queue(p->accept);
	status->held = accept_n_held(p->accept);
	status->down = destination->circuit.state == CIRCUIT_OPEN;
	status->dead_letters_fail = dead_letters_failing(p->dead_letters);
	status->refresher = p->refresher;
	if (longest != NULL) {
		status->target = longest->name;
		status->target_status = longest->status;
		since_ms = longest->failing_ms;
	}
	if (status->down)
		since_ms = destination->changed_ms;
	status->paused_ms = now_ms - since_ms;
}

void
pipeline_view(const struct pipeline *p, struct watchdog_view *view)
{
	view->jobs = &p->jobs;
	view->in_flight = deliver_in_flight(p->deliver);
	view->unconfirmed = ack_flush_slots(p->ack_flush);
	view->able = may_deliver(p) && bus_connected(p->config.bus);
	view->paused = deliver_paused(p->deliver);
	view->under_way = http_in_flight(p->config.http) > 0 ||
		dead_letters_busy(p->dead_letters) || sink_busy(p->sink) ||
		(!deliver_room(p->deliver) && view->unconfirmed > 0);
}

size_t
pipeline_jobs(const struct pipeline *p)
{
	return p->jobs.n;
}

struct dead_letters *
pipeline_dead_letters(struct pipeline *p)
{
	return p->dead_letters;
}

/* ---- start again, and stop */

void
pipeline_restart(struct pipeline *p)
{
	/* no request is under way, so nothing will come back for these jobs */
	while (!TAILQ_EMPTY(&p->jobs.list))
		settle_give_back(p->settle, TAILQ_FIRST(&p->jobs.list));
	jobs_reset(&p->jobs);
	deliver_reset(p->deliver);
}

void
pipeline_stop(struct pipeline *p)
{
	p->stopping = true;
	settle_stop(p->settle);
}

size_t
pipeline_give_back_idle(struct pipeline *p, const struct origin *origin)
{
	return settle_give_back_idle(p->settle, origin);
}

void
pipeline_end(struct pipeline *p)
{
	pause_turn(&p->jobs, deliver_destination(p->deliver), INT64_MAX);
}
