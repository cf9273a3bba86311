// SPDX-License-Identifier: Apache-2.0
/* What an outcome means: for the leg, for its job, for the circuit of its lane. Every job ends here, one way. */
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "log.h"
#include "message.h"
#include "stats.h"
#include "subject.h"

enum {
	CONFIRM_MS = 2000,
};

/*
 * The event's id, for a log line; valid until the next call. "" when the message is not a valid event. It is read
 * into an event of its own: send.c calls settle_dead while the events of a batch are still in d->scratch.
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
	failed = d->stopping ? ack_confirm(d->bus, job->reply, CONFIRM_MS, &err) : ack(d->bus, job->reply, &err);
	if (failed)
		log_debug("ack not sent", L_INT("seq", (int64_t)job->seq), L_ERR(&err));
}

static void
finish(struct dispatcher *d, struct job *job)
{
	acknowledge(d, job);
	confirm_want(d, job->n_legs);
	metric_add(job->dead ? d->books.dead : job->accepted ? d->books.delivered : d->books.filtered, 1);
	if (job->dead || job->accepted)
		stats_invocation(subject_event(bus_msg_subject(job->msg)), !job->dead);
	if (!job->dead && job->accepted)
		books_age(&d->books, clock_wall_us() - job->stored_us);
	release(d, job);
}

void
settle_leg(struct dispatcher *d, struct leg *leg, enum leg_state state)
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
 * The stream was made anew, or cut short and grown again: its sequences, and so the acks of what is in hand, are
 * those of other events now. What has its body is still delivered, and not acknowledged; the rest is gone.
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
	log_warn("event becomes a dead letter", L_STR("event", event_id(d, leg->job)), L_STR("reason", reason),
		L_STR("target", leg->target), L_INT("status", leg->status), L_STR("error", leg->why),
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
		settle_leg(d, leg, LEG_DEAD);
}

void
settle_sunk(void *dispatcher, struct leg *leg)
{
	settle_leg(dispatcher, leg, LEG_DEAD);
}

static int64_t
longest_wait(const struct dispatch_retry *r, unsigned attempts)
{
	int64_t delay = r->delay_ms > 0 ? r->delay_ms : r->initial_ms, most = r->max_ms > delay ? r->max_ms : delay;

	if (r->policy == BACKOFF_LINEAR)
		return delay < most / attempts ? delay * attempts : most;
	return backoff_ceiling(delay, most, attempts);
}

static void
retry(struct dispatcher *d, struct leg *leg, int64_t retry_after_ms, int64_t now_ms)
{
	const struct dispatch_retry *r = &d->options->retry;
	int64_t wait = (int64_t)(backoff_random(&d->jobs.random) % ((uint64_t)longest_wait(r, leg->attempts) + 1));

	if (leg->last_us - leg->first_us > r->max_age_ms * 1000 || (r->count >= 0 && leg->attempts > r->count)) {
		settle_dead(d, leg, "gave_up");
		return;
	}
	metric_add(d->books.retries, 1);
	leg_take(leg);
	leg_wait(leg, now_ms + (wait > retry_after_ms ? wait : retry_after_ms));
}

static void
report_circuit(struct dispatcher *d, struct lane *lane, const struct outcome *outcome)
{
	bool open = lane->circuit.state == CIRCUIT_OPEN;

	lane->failing_ms = clock_monotonic_ms();
	books_circuit(&d->books, open);
	if (!open) {
		log_info("deliveries go on", L_STR("target", lane->name));
		lane_hurry(lane);
	} else if (lane->circuit.flood) {
		log_error("destination rejects most events: deliveries pause, check the configuration",
			L_STR("target", lane->name), L_INT("status", outcome->status), L_ERR(&outcome->why));
	} else {
		log_warn("destination fails: deliveries pause", L_STR("target", lane->name),
			L_INT("status", outcome->status), L_ERR(&outcome->why));
	}
}

/* The destination could not, or not now. */
static void
on_retry(struct dispatcher *d, struct leg *leg, const struct outcome *outcome, bool probe, int64_t now_ms)
{
	struct lane *lane = leg->lane;
	int64_t pause = outcome->retry_after_ms;
	bool whole = outcome->why.code == ERR_CONNECT || outcome->why.code == ERR_TLS;

	lane->status = outcome->status;
	if (pause > d->options->retry.retry_after_max_ms)
		pause = d->options->retry.retry_after_max_ms;
	if (pause > 0)
		metric_add(d->books.throttled, 1);
	if (outcome->split && leg->batch_max > 1)
		leg->batch_max /= 2;
	if (outcome->refresh)
		refresh_want(d);
	if (d->fans_out && whole) {
		if (probe)
			circuit_abandon(&lane->circuit);
	} else if (!outcome->split && circuit_failure(&lane->circuit, leg->job->seq, probe, pause, now_ms)) {
		report_circuit(d, lane, outcome);
	}
	retry(d, leg, pause, now_ms);
}

void
settle_outcome(struct dispatcher *d, struct leg *leg, const struct outcome *outcome, bool probe)
{
	struct lane *lane = leg->lane;
	int64_t now_ms = clock_monotonic_ms();

	leg->attempts++;
	leg->last_us = clock_wall_us();
	if (leg->first_us == 0)
		leg->first_us = leg->last_us;
	switch (outcome->verdict) {
	case VERDICT_DELIVERED:
		lane->delivered_ms = now_ms;
		lane->status = 0;
		if (circuit_success(&lane->circuit, now_ms))
			report_circuit(d, lane, outcome);
		books_attempts(&d->books, leg->attempts);
		settle_leg(d, leg, LEG_DELIVERED);
		break;
	case VERDICT_REJECTED:
		leg_explain(leg, outcome->status, outcome->why.text);
		if (circuit_rejection(&lane->circuit, probe, now_ms))
			report_circuit(d, lane, outcome);
		/* what was under way when the flood was noticed is kept, for a better setting */
		if (lane->circuit.flood && !probe)
			retry(d, leg, 0, now_ms);
		else
			settle_dead(d, leg, "rejected");
		break;
	case VERDICT_RETRY:
		leg_explain(leg, outcome->status, outcome->why.text);
		on_retry(d, leg, outcome, probe, now_ms);
		break;
	}
}

/* ---- all of them */

/* Tells the server that slow deliveries live. */
void
settle_progress(struct dispatcher *d, int64_t now_ms)
{
	int64_t every = d->options->ack_wait_ms / 3;
	struct err err;

	while (d->jobs.oldest != NULL && now_ms - d->jobs.oldest->touched_ms >= every && bus_connected(d->bus)) {
		if (!d->jobs.oldest->orphan && ack_progress(d->bus, d->jobs.oldest->reply, &err) != 0)
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
			nak(d->bus, job->reply, 0, &err);
		release(d, job);
	}
}
