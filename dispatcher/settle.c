// SPDX-License-Identifier: Apache-2.0
/*
 * What an outcome means: for the leg, for its job, for the circuit of its lane. Every job ends
 * here, one way.
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

	if (first != NULL && first->leg[0].state == LEG_BLOCKED && !d->stopping)
		job_make_ready(first);
}

/* The server hears of it; when that fails it will ask again, and source.c knows the answer. */
static void
acknowledge(struct dispatcher *d, struct job *job)
{
	struct err err;
	int failed;

	if (job->orphan)
		return;
	source_settled(job->source, job);
	failed = d->stopping ? jetstream_ack_confirm(d->bus, job->reply, CONFIRM_MS, &err)
			     : jetstream_ack(d->bus, job->reply, &err);
	if (failed)
		log_debug("ack not sent", L_INT("seq", (int64_t)job->seq), L_ERR(&err));
}

static void
finish(struct dispatcher *d, struct job *job)
{
	acknowledge(d, job);
	ack_flush_add(d->ack_flush, job->n_legs);
	metric_add(job->dead            ? d->books.dead
			: job->accepted ? d->books.delivered
					: d->books.filtered,
		1);
	if (job->dead || job->accepted)
		stats_invocation(subject_event(job_subject(job)), !job->dead);
	if (!job->dead && job->accepted)
		books_age(&d->books, clock_wall_us() - job->stored_us);
	release(d, job);
}

/* The leg is over, and so is its job when this was the last one. */
static void
end_leg(struct dispatcher *d, struct leg *leg, enum leg_state state)
{
	struct job *job = leg->job;

	leg_over(leg, state);
	if (job->n_open == 0)
		finish(d, job);
}

void
settle_filtered(struct dispatcher *d, struct job *job)
{
	acknowledge(d, job);
	metric_add(d->books.filtered, 1);
	release(d, job);
}

void
settle_expired(struct dispatcher *d, struct job *job)
{
	acknowledge(d, job);
	metric_add(d->books.expired, 1);
	release(d, job);
}

/*
 * The stream was made anew, or cut short and grown again: its sequences, and so the acks of
 * what is in hand, are those of other events now. What has its body is still delivered, and not
 * acknowledged; the rest is gone.
 */
void
settle_orphans(struct dispatcher *d, const struct source *s)
{
	for (struct job *job = d->jobs.oldest, *next; job != NULL; job = next) {
		next = job->next;
		if (job->source != s)
			continue;
		job->orphan = true;
		if (job->msg == NULL)
			settle_expired(d, job);
	}
}

void
settle_drop(struct dispatcher *d, struct job *job)
{
	release(d, job);
}

/* ---- legs */

void
settle_dead(struct dispatcher *d, struct leg *leg, const char *reason)
{
	leg_take(leg);
	leg->reason = reason;
	leg->state = LEG_BURYING;
	log_warn("event becomes a dead letter", L_STR("event", event_id(d, leg->job)),
		L_STR("reason", reason), L_STR("target", leg->target),
		L_INT("status", leg->status), L_STR("error", leg->why),
		L_INT("attempts", leg->attempts), L_STR("stream", leg->job->source->stream),
		L_INT("seq", (int64_t)leg->job->seq));
	dead_bury(d, leg);
}

void
settle_stored(void *dispatcher, struct leg *leg)
{
	struct dispatcher *d = dispatcher;

	books_dead(&d->books, leg->reason);
	if (d->sink == NULL || !sink_deliver(d->sink, leg))
		end_leg(d, leg, LEG_DEAD);
}

void
settle_sunk(void *dispatcher, struct leg *leg)
{
	end_leg(dispatcher, leg, LEG_DEAD);
}

/* Carries out what becomes of a leg. */
static void
go_on(struct dispatcher *d, struct leg *leg, struct attempt *attempt)
{
	struct next next;

	attempt->n = leg->attempts;
	attempt->age_ms = (leg->last_us - leg->first_us) / 1000;
	attempt->random = hash_splitmix64(&d->jobs.random);
	next = outcome_next(&d->options->retry, attempt);
	switch (next.step) {
	case NEXT_DELIVERED:
		books_attempts(&d->books, leg->attempts);
		end_leg(d, leg, LEG_DELIVERED);
		break;
	case NEXT_DROP:
		end_leg(d, leg, LEG_DROPPED);
		break;
	case NEXT_DEAD:
		settle_dead(d, leg, next.reason);
		break;
	case NEXT_RETRY:
		metric_add(d->books.retries, 1);
		leg_take(leg);
		leg_wait(leg, next.at_ms);
		break;
	}
}

void
settle_unsent(struct dispatcher *d, struct leg *leg, enum ending ending)
{
	go_on(d, leg, &(struct attempt){ .ending = ending, .now_ms = clock_monotonic_ms() });
}

static void
on_delivered(
	struct dispatcher *d, struct leg *leg, const struct outcome *outcome, struct attempt *a)
{
	struct lane *lane = leg->lane;

	a->ending = ENDING_DELIVERED;
	lane->delivered_ms = a->now_ms;
	lane->status = 0;
	refusals_taken(&lane->refusals, bus_msg_len(leg->job->msg), leg->sent_ms, a->now_ms);
	if (circuit_success(&lane->circuit, a->now_ms))
		pause_lane(d, lane, outcome);
}

/* The destination says that the event is at fault. */
static void
on_refused(struct dispatcher *d, struct leg *leg, const struct outcome *outcome, bool probe,
	struct attempt *a)
{
	struct lane *lane = leg->lane;
	bool paused = lane->circuit.state == CIRCUIT_OPEN;
	struct refused refused = { .event = leg->job->seq,
		.bytes = bus_msg_len(leg->job->msg),
		.sent_ms = leg->sent_ms,
		.too_large = outcome->status == 413 || outcome->why.code == ERR_LIMIT,
		.now_ms = a->now_ms };

	a->ending = ENDING_REFUSED;
	a->at_fault = refusals_note(
		&lane->refusals, &leg->refusal, &refused, d->options->retry.reject_grace_ms);
	a->grace_ends_ms = leg->refusal.grace_ends_ms;
	if (!a->at_fault && outcome->refresh)
		refresh_want(d);
	if (circuit_rejection(&lane->circuit, leg->job->seq, probe, a->at_fault, a->now_ms)) {
		if (paused && lane->circuit.state == CIRCUIT_OPEN)
			pause_flood(lane, outcome);
		else
			pause_lane(d, lane, outcome);
	}
	if (!a->at_fault)
		circuit_probe_by(&lane->circuit, a->grace_ends_ms);
	/* what was under way when the flood was noticed is kept, for a better setting */
	a->held_back = lane->circuit.flood && !probe;
	if (!a->at_fault || a->held_back)
		lane->status = outcome->status;
}

/* The destination could not, or not now. */
static void
on_failed(struct dispatcher *d, struct leg *leg, const struct outcome *outcome, bool probe,
	struct attempt *a)
{
	struct lane *lane = leg->lane;
	bool whole = outcome->why.code == ERR_CONNECT || outcome->why.code == ERR_TLS;

	a->ending = ENDING_FAILED;
	lane->status = outcome->status;
	if (a->pause_ms > 0)
		metric_add(d->books.throttled, 1);
	if (outcome->split && leg->batch_max > 1)
		leg->batch_max /= 2;
	else
		refusals_failed(&lane->refusals, a->now_ms);
	if (outcome->refresh)
		refresh_want(d);
	if (d->fans_out && whole) {
		if (probe)
			circuit_abandon(&lane->circuit);
	} else if (!outcome->split &&
		circuit_failure(&lane->circuit, leg->job->seq, probe, a->pause_ms, a->now_ms)) {
		pause_lane(d, lane, outcome);
	}
}

void
settle_outcome(struct dispatcher *d, struct leg *leg, const struct outcome *outcome, bool probe)
{
	int64_t most_ms = d->options->retry.retry_after_max_ms;
	struct attempt attempt = { .now_ms = clock_monotonic_ms(),
		.pause_ms = outcome->retry_after_ms < most_ms ? outcome->retry_after_ms
							      : most_ms };

	leg->attempts++;
	leg->last_us = clock_wall_us();
	if (leg->first_us == 0)
		leg->first_us = leg->last_us;
	if (outcome->verdict != VERDICT_DELIVERED)
		leg_explain(leg, outcome->status, outcome->why.text);
	if (outcome->verdict == VERDICT_DELIVERED)
		on_delivered(d, leg, outcome, &attempt);
	else if (outcome->verdict == VERDICT_REJECTED)
		on_refused(d, leg, outcome, probe, &attempt);
	else
		on_failed(d, leg, outcome, probe, &attempt);
	go_on(d, leg, &attempt);
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
		if (!d->jobs.oldest->orphan &&
			jetstream_ack_progress(d->bus, d->jobs.oldest->reply, &err) != 0)
			return;
		job_touch(&d->jobs, d->jobs.oldest, now_ms);
	}
}

static bool
under_way(const struct job *job)
{
	for (size_t i = 0; i < job->n_legs; i++)
		if (job->leg[i].state == LEG_IN_FLIGHT || job->leg[i].state == LEG_BURYING)
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
		if (!job->orphan)
			jetstream_nak(d->bus, job->reply, 0, &err);
		release(d, job);
	}
}
