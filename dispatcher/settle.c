// SPDX-License-Identifier: Apache-2.0
/*
 * What an outcome means: for the delivery, for its job, for the circuit of its queue. Every job
 * ends here, one way.
 */
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hash.h"
#include "log.h"
#include "message.h"
#include "outcome.h"
#include "stats.h"
#include "subject.h"

enum {
	CONFIRM_MS = 2000,
};

/*
 * The event's id, for a log line; valid until the next call. "" when the message is not a valid
 * event. It is read into an event of its own: send.c calls settle_dead while the events of a
 * batch are still in d->scratch.
 */
static const char *
event_id(struct dispatcher *d, const struct job *job)
{
	struct err err;

	return message_read_event(job->msg, &d->logged, &err) == 0 ? d->logged.id : "";
}

/* ---- jobs */

static void
release(struct dispatcher *d, struct job *job)
{
	struct job *first = job_free(&d->jobs, job);

	if (first != NULL && first->delivery[0].state == DELIVERY_BLOCKED && !d->stopping)
		job_make_ready(first);
}

/* A lost ack causes a redelivery, which is acknowledged again (recently_acked.h). */
static void
acknowledge(struct dispatcher *d, struct job *job)
{
	struct err err;
	int failed;

	if (job->stale)
		return;
	sources_note_acked(d->sources, job->origin, job->seq, job->stored_us);
	failed = d->stopping ? jetstream_ack_confirm(d->bus, job->reply, CONFIRM_MS, &err)
			     : jetstream_ack(d->bus, job->reply, &err);
	if (failed)
		log_debug("ack not sent", L_INT("seq", (int64_t)job->seq), L_ERR(&err));
}

static void
finish(struct dispatcher *d, struct job *job)
{
	acknowledge(d, job);
	ack_flush_add(d->ack_flush, job->n_deliveries);
	metric_add(job->dead            ? d->metrics.dead
			: job->accepted ? d->metrics.delivered
					: d->metrics.filtered,
		1);
	if (job->dead || job->accepted)
		stats_invocation(subject_event(job_subject(job)), !job->dead);
	if (!job->dead && job->accepted)
		dispatcher_metrics_age(&d->metrics, clock_wall_us() - job->stored_us);
	release(d, job);
}

/* The delivery is over, and so is its job when this was the last one. */
static void
end_leg(struct dispatcher *d, struct delivery *delivery, enum delivery_state state)
{
	struct job *job = delivery->job;

	delivery_over(delivery, state);
	if (job->n_open == 0)
		finish(d, job);
}

void
settle_filtered(struct dispatcher *d, struct job *job)
{
	acknowledge(d, job);
	metric_add(d->metrics.filtered, 1);
	release(d, job);
}

void
settle_expired(struct dispatcher *d, struct job *job)
{
	acknowledge(d, job);
	metric_add(d->metrics.expired, 1);
	release(d, job);
}

/*
 * The stream was made anew, or cut short and grown again: its sequences, and so the acks of
 * what is in hand, are those of other events now. What has its body is still delivered, and not
 * acknowledged; the rest is gone.
 */
void
settle_stale(struct dispatcher *d, const struct origin *origin)
{
	for (struct job *job = d->jobs.oldest, *next; job != NULL; job = next) {
		next = job->next;
		if (job->origin != origin)
			continue;
		job->stale = true;
		if (job->msg == NULL)
			settle_expired(d, job);
	}
}

void
settle_drop(struct dispatcher *d, struct job *job)
{
	release(d, job);
}

/* ---- deliveries */

void
settle_dead(struct dispatcher *d, struct delivery *delivery, const char *reason)
{
	delivery_take(delivery);
	delivery->reason = reason;
	delivery->state = DELIVERY_DEAD_PENDING;
	log_warn("event becomes a dead letter", L_STR("event", event_id(d, delivery->job)),
		L_STR("reason", reason), L_STR("target", delivery->target),
		L_INT("status", delivery->status), L_STR("error", delivery->why),
		L_INT("attempts", delivery->attempts),
		L_STR("stream", delivery->job->origin->stream),
		L_INT("seq", (int64_t)delivery->job->seq));
	dead_letters_store(d->dead_letters, delivery);
}

void
settle_stored(void *dispatcher, struct delivery *delivery)
{
	struct dispatcher *d = dispatcher;

	dispatcher_metrics_dead(&d->metrics, delivery->reason);
	if (!sink_deliver(d->sink, delivery))
		end_leg(d, delivery, DELIVERY_DEAD);
}

void
settle_sunk(void *dispatcher, struct delivery *delivery)
{
	end_leg(dispatcher, delivery, DELIVERY_DEAD);
}

/* Carries out what becomes of a delivery. */
static void
go_on(struct dispatcher *d, struct delivery *delivery, struct attempt *attempt)
{
	struct next next;

	attempt->n = delivery->attempts;
	attempt->age_ms = (delivery->last_us - delivery->first_us) / 1000;
	attempt->random = hash_splitmix64(&d->jobs.random);
	next = outcome_next(&d->options->retry, attempt);
	switch (next.step) {
	case NEXT_DELIVERED:
		dispatcher_metrics_attempts(&d->metrics, delivery->attempts);
		end_leg(d, delivery, DELIVERY_DELIVERED);
		break;
	case NEXT_DROP:
		end_leg(d, delivery, DELIVERY_DROPPED);
		break;
	case NEXT_DEAD:
		settle_dead(d, delivery, next.reason);
		break;
	case NEXT_RETRY:
		metric_add(d->metrics.retries, 1);
		delivery_take(delivery);
		delivery_wait(delivery, next.at_ms);
		break;
	}
}

void
settle_unsent(struct dispatcher *d, struct delivery *delivery, enum ending ending)
{
	go_on(d, delivery,
		&(struct attempt){ .ending = ending, .now_ms = clock_monotonic_ms() });
}

static void
on_delivered(struct dispatcher *d, struct delivery *delivery, const struct outcome *outcome,
	struct attempt *a)
{
	struct queue *queue = delivery->queue;

	a->ending = ENDING_DELIVERED;
	queue->delivered_ms = a->now_ms;
	queue->status = 0;
	refusals_taken(&queue->refusals, bus_msg_len(delivery->job->msg), delivery->sent_ms,
		a->now_ms);
	if (circuit_success(&queue->circuit, a->now_ms))
		pause_queue(d, queue, outcome);
}

/* The destination says that the event is at fault. */
static void
on_refused(struct dispatcher *d, struct delivery *delivery, const struct outcome *outcome,
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
		d->options->retry.reject_grace_ms);
	a->grace_ends_ms = delivery->refusal.grace_ends_ms;
	if (!a->at_fault && outcome->refresh)
		refresh_want(d->refresher);
	if (circuit_rejection(
		    &queue->circuit, delivery->job->seq, probe, a->at_fault, a->now_ms)) {
		if (paused && queue->circuit.state == CIRCUIT_OPEN)
			pause_flood(queue, outcome);
		else
			pause_queue(d, queue, outcome);
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
on_failed(struct dispatcher *d, struct delivery *delivery, const struct outcome *outcome,
	bool probe, struct attempt *a)
{
	struct queue *queue = delivery->queue;
	bool whole = outcome->why.code == ERR_CONNECT || outcome->why.code == ERR_TLS;

	a->ending = ENDING_FAILED;
	queue->status = outcome->status;
	if (a->pause_ms > 0)
		metric_add(d->metrics.throttled, 1);
	if (outcome->split && delivery->batch_max > 1)
		delivery->batch_max /= 2;
	else
		refusals_failed(&queue->refusals, a->now_ms);
	if (outcome->refresh)
		refresh_want(d->refresher);
	if (d->fans_out && whole) {
		if (probe)
			circuit_abandon(&queue->circuit);
	} else if (!outcome->split &&
		circuit_failure(
			&queue->circuit, delivery->job->seq, probe, a->pause_ms, a->now_ms)) {
		pause_queue(d, queue, outcome);
	}
}

void
settle_outcome(struct dispatcher *d, struct delivery *delivery, const struct outcome *outcome,
	bool probe)
{
	int64_t most_ms = d->options->retry.retry_after_max_ms;
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
		on_delivered(d, delivery, outcome, &attempt);
	else if (outcome->verdict == VERDICT_REJECTED)
		on_refused(d, delivery, outcome, probe, &attempt);
	else
		on_failed(d, delivery, outcome, probe, &attempt);
	go_on(d, delivery, &attempt);
}

/* ---- all of them */

/* Tells the server that slow deliveries live. */
void
settle_progress(struct dispatcher *d, int64_t now_ms)
{
	int64_t every = d->options->ack_wait_ms / 3;
	struct err err;

	while (d->jobs.oldest != NULL && now_ms - d->jobs.oldest->touched_ms >= every &&
		bus_connected(d->bus)) {
		if (!d->jobs.oldest->stale &&
			jetstream_ack_progress(d->bus, d->jobs.oldest->reply, &err) != 0)
			return;
		job_touch(&d->jobs, d->jobs.oldest, now_ms);
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

void
settle_give_back(struct dispatcher *d)
{
	struct err err;

	for (struct job *job = d->jobs.oldest, *next; job != NULL; job = next) {
		next = job->next;
		if (under_way(job))
			continue;
		if (!job->stale)
			jetstream_nak(d->bus, job->reply, 0, &err);
		release(d, job);
	}
}
