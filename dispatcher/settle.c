// SPDX-License-Identifier: Apache-2.0
#include "settle.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hash.h"
#include "jetstream.h"
#include "log.h"
#include "mem.h"
#include "message.h"
#include "pause.h"
#include "stats.h"
#include "subject.h"

enum {
	CONFIRM_MS = 2000,
};

struct settle {
	struct settle_config config;
	struct dead_letters *letters;
	struct sink *sink;   /* NULL: none is configured */
	struct event logged; /* for log lines */
	bool stopping;
};

struct settle *
settle_open(const struct settle_config *config)
{
	struct settle *settle = mem_alloc(sizeof(*settle));

	settle->config = *config;
	event_init(&settle->logged);
	return settle;
}

void
settle_use(struct settle *s, struct dead_letters *letters, struct sink *sink)
{
	s->letters = letters;
	s->sink = sink;
}

void
settle_close(struct settle *s)
{
	if (s == NULL)
		return;
	event_free(&s->logged);
	free(s);
}

/*
 * The event's id, for a log line; valid until the next call. "" when the message is not a valid
 * event. It is read into an event of its own: the caller may hold those of a batch.
 */
static const char *
event_id(struct settle *s, const struct job *job)
{
	struct err err;

	return message_read_event(job->msg, &s->logged, &err) == 0 ? s->logged.id : "";
}

/* ---- jobs */

static void
release(struct settle *s, struct job *job)
{
	struct job *first = job_free(s->config.jobs, job);

	if (first != NULL && first->delivery[0].state == DELIVERY_BLOCKED && !s->stopping)
		job_make_ready(first);
}

/* A lost ack causes a redelivery. on_ack lets the puller recognise it. */
static void
acknowledge(struct settle *s, struct job *job)
{
	struct err err;
	int failed;

	if (job->stale)
		return;
	s->config.on_ack(s->config.ctx, job);
	failed = s->stopping
		? jetstream_ack_confirm(s->config.bus, job->reply, CONFIRM_MS, &err)
		: jetstream_ack(s->config.bus, job->reply, &err);
	if (failed)
		log_debug("ack not sent", L_INT("seq", (int64_t)job->seq), L_ERR(&err));
}

static void
finish(struct settle *s, struct job *job)
{
	acknowledge(s, job);
	ack_flush_add(s->config.ack_flush, job->n_deliveries);
	metric_add(job->dead            ? s->config.metrics->dead
			: job->accepted ? s->config.metrics->delivered
					: s->config.metrics->filtered,
		1);
	if (job->dead || job->accepted)
		stats_invocation(subject_event(job_subject(job)), !job->dead);
	if (!job->dead && job->accepted)
		dispatcher_metrics_age(s->config.metrics, clock_wall_us() - job->stored_us);
	release(s, job);
}

/* Ends the delivery, and its job when this was the last one. */
static void
end_delivery(struct settle *s, struct delivery *delivery, enum delivery_state state)
{
	struct job *job = delivery->job;

	delivery_over(delivery, state);
	if (job->n_open == 0)
		finish(s, job);
}

void
settle_filtered(struct settle *s, struct job *job)
{
	acknowledge(s, job);
	metric_add(s->config.metrics->filtered, 1);
	release(s, job);
}

void
settle_expired(struct settle *s, struct job *job)
{
	acknowledge(s, job);
	metric_add(s->config.metrics->expired, 1);
	release(s, job);
}

void
settle_stale(struct settle *s, struct job *job)
{
	job_set_stale(s->config.jobs, job);
	if (job->msg == NULL)
		settle_expired(s, job);
}

void
settle_recreated(struct settle *s, const struct origin *origin)
{
	for (struct job *job = TAILQ_FIRST(&s->config.jobs->list), *next; job != NULL;
		job = next) {
		next = TAILQ_NEXT(job, link);
		if (job->origin == origin)
			settle_stale(s, job);
	}
}

void
settle_drop(struct settle *s, struct job *job)
{
	release(s, job);
}

void
settle_give_back(struct settle *s, struct job *job)
{
	struct err err;

	if (!job->stale)
		jetstream_nak(s->config.bus, job->reply, 0, &err);
	release(s, job);
}

/* ---- deliveries */

void
settle_dead(struct settle *s, struct delivery *delivery, const char *reason)
{
	delivery_take(delivery);
	delivery->reason = reason;
	delivery->state = DELIVERY_DEAD_PENDING;
	log_warn("event becomes a dead letter", L_STR("event", event_id(s, delivery->job)),
		L_STR("reason", reason), L_STR("target", delivery->target),
		L_INT("status", delivery->status), L_STR("error", delivery->why),
		L_INT("attempts", delivery->attempts),
		L_STR("stream", delivery->job->origin->stream),
		L_INT("seq", (int64_t)delivery->job->seq));
	dead_letters_store(s->letters, delivery);
}

void
settle_stored(void *settle, struct delivery *delivery)
{
	struct settle *s = settle;

	dispatcher_metrics_dead(s->config.metrics, delivery->reason);
	if (!sink_deliver(s->sink, delivery))
		end_delivery(s, delivery, DELIVERY_DEAD);
}

void
settle_sunk(void *settle, struct delivery *delivery)
{
	end_delivery(settle, delivery, DELIVERY_DEAD);
}

/* Carries out what becomes of a delivery. */
static void
go_on(struct settle *s, struct delivery *delivery, struct attempt *attempt)
{
	struct next next;

	attempt->n = delivery->attempts;
	attempt->age_ms = (delivery->last_us - delivery->first_us) / 1000;
	attempt->random = hash_splitmix64(&s->config.jobs->random);
	next = outcome_next(&s->config.options->retry, attempt);
	switch (next.step) {
	case NEXT_DELIVERED:
		dispatcher_metrics_attempts(s->config.metrics, delivery->attempts);
		end_delivery(s, delivery, DELIVERY_DELIVERED);
		break;
	case NEXT_DROP:
		end_delivery(s, delivery, DELIVERY_DROPPED);
		break;
	case NEXT_DEAD:
		settle_dead(s, delivery, next.reason);
		break;
	case NEXT_RETRY:
		metric_add(s->config.metrics->retries, 1);
		delivery_take(delivery);
		delivery_wait(delivery, next.at_ms);
		break;
	}
}

void
settle_unsent(struct settle *s, struct delivery *delivery, enum ending ending)
{
	go_on(s, delivery,
		&(struct attempt){ .ending = ending, .now_ms = clock_monotonic_ms() });
}

static void
on_delivered(struct settle *s, struct delivery *delivery, const struct outcome *outcome,
	struct attempt *a)
{
	struct queue *queue = delivery->queue;

	a->ending = ENDING_DELIVERED;
	queue->delivered_ms = a->now_ms;
	queue->status = 0;
	refusals_taken(&queue->refusals, bus_msg_len(delivery->job->msg), delivery->sent_ms,
		a->now_ms);
	if (circuit_success(&queue->circuit, a->now_ms))
		pause_queue(s->config.metrics, queue, outcome);
}

/* The destination says that the event is at fault. */
static void
on_refused(struct settle *s, struct delivery *delivery, const struct outcome *outcome,
	bool probe, struct attempt *a)
{
	struct queue *queue = delivery->queue;
	bool paused = queue->circuit.state == CIRCUIT_OPEN;
	struct refused refused = { .event = delivery->job->seq,
		.bytes = bus_msg_len(delivery->job->msg),
		.sent_ms = delivery->sent_ms,
		.too_large = outcome->status == 413 || outcome->why.code == ERR_LIMIT,
		.now_ms = a->now_ms };

	a->ending = ENDING_REFUSED;
	a->at_fault = refusals_note(&queue->refusals, &delivery->refusal, &refused,
		s->config.options->retry.reject_grace_ms);
	a->grace_ends_ms = delivery->refusal.grace_ends_ms;
	if (!a->at_fault && outcome->refresh)
		refresh_want(s->config.refresher);
	if (circuit_rejection(
		    &queue->circuit, delivery->job->seq, probe, a->at_fault, a->now_ms)) {
		if (paused && queue->circuit.state == CIRCUIT_OPEN)
			pause_flood(queue, outcome);
		else
			pause_queue(s->config.metrics, queue, outcome);
	}
	if (!a->at_fault)
		circuit_probe_by(&queue->circuit, a->grace_ends_ms);
	/* what was under way when the flood was noticed is kept, for a better setting */
	a->held_back = queue->circuit.flood && !probe;
	if (!a->at_fault || a->held_back)
		queue->status = outcome->status;
}

/* The destination could not, or not now. */
static void
on_failed(struct settle *s, struct delivery *delivery, const struct outcome *outcome,
	bool probe, struct attempt *a)
{
	struct queue *queue = delivery->queue;
	bool whole = outcome->why.code == ERR_CONNECT || outcome->why.code == ERR_TLS;

	a->ending = ENDING_FAILED;
	queue->status = outcome->status;
	if (a->pause_ms > 0)
		metric_add(s->config.metrics->throttled, 1);
	if (outcome->split && delivery->batch_max > 1)
		delivery->batch_max /= 2;
	else
		refusals_failed(&queue->refusals, a->now_ms);
	if (outcome->refresh)
		refresh_want(s->config.refresher);
	if (s->config.jobs->fans_out && whole) {
		if (probe)
			circuit_abandon(&queue->circuit);
	} else if (!outcome->split &&
		circuit_failure(
			&queue->circuit, delivery->job->seq, probe, a->pause_ms, a->now_ms)) {
		pause_queue(s->config.metrics, queue, outcome);
	}
}

void
settle_outcome(
	struct settle *s, struct delivery *delivery, const struct outcome *outcome, bool probe)
{
	int64_t most_ms = s->config.options->retry.retry_after_max_ms;
	struct attempt attempt = { .now_ms = clock_monotonic_ms(),
		.pause_ms = outcome->retry_after_ms < most_ms ? outcome->retry_after_ms
							      : most_ms };

	delivery->attempts++;
	delivery->last_us = clock_wall_us();
	if (delivery->first_us == 0)
		delivery->first_us = delivery->last_us;
	if (outcome->verdict != VERDICT_DELIVERED)
		delivery_explain(delivery, outcome->status, outcome->why.text);
	if (outcome->verdict == VERDICT_DELIVERED)
		on_delivered(s, delivery, outcome, &attempt);
	else if (outcome->verdict == VERDICT_REJECTED)
		on_refused(s, delivery, outcome, probe, &attempt);
	else
		on_failed(s, delivery, outcome, probe, &attempt);
	go_on(s, delivery, &attempt);
}

/* ---- all jobs */

void
settle_progress(struct settle *s, int64_t now_ms)
{
	int64_t every = s->config.options->ack_wait_ms / 3;
	struct job *job;
	struct err err;

	while ((job = TAILQ_FIRST(&s->config.jobs->list)) != NULL &&
		now_ms - job->touched_ms >= every && bus_connected(s->config.bus)) {
		if (!job->stale && jetstream_ack_progress(s->config.bus, job->reply, &err) != 0)
			return;
		job_touch(s->config.jobs, job, now_ms);
	}
}

static bool
under_way(const struct job *job)
{
	for (size_t i = 0; i < job->n_deliveries; i++)
		if (job->delivery[i].state == DELIVERY_IN_FLIGHT ||
			job->delivery[i].state == DELIVERY_DEAD_PENDING)
			return true;
	return false;
}

size_t
settle_give_back_idle(struct settle *s, const struct origin *origin)
{
	size_t left = 0;

	for (struct job *job = TAILQ_FIRST(&s->config.jobs->list), *next; job != NULL;
		job = next) {
		next = TAILQ_NEXT(job, link);
		if (origin != NULL && job->origin != origin)
			continue;
		if (under_way(job))
			left++;
		else
			settle_give_back(s, job);
	}
	return left;
}

void
settle_stop(struct settle *s)
{
	s->stopping = true;
}
