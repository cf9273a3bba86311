// SPDX-License-Identifier: Apache-2.0
/*
 * Looks once a second whether the dispatcher has stopped though it has work (stall.h). If so it
 * says what it sees, gives back what it holds, sets its counters to what they are without a
 * job, and pulls anew.
 */
#include "parts.h"

#include "log.h"
#include "stall.h"

enum { LOOK_MS = 1000 };

static bool
able(const struct dispatcher *d)
{
	return !d->stopping && !dead_letters_failing(d->dead_letters) &&
		bus_connected(d->bus) && refresh_ready(d->refresher);
}

static bool
circuit_open(const struct dispatcher *d)
{
	const struct queue *queue = d->jobs.ring;

	for (size_t i = 0; i < d->jobs.n_queues; i++, queue = queue->next)
		if (queue->circuit.state == CIRCUIT_OPEN)
			return true;
	return deliver_paused(d->deliver);
}

/* By the queues themselves, not by the counters: those may be what is wrong. */
static bool
under_way(const struct dispatcher *d)
{
	const struct queue *queue = d->jobs.ring;

	if (inbox_taken(d->inbox) > 0 || http_in_flight(d->http) > 0 ||
		dead_letters_busy(d->dead_letters) || circuit_open(d) || sink_busy(d->sink))
		return true;
	/* acks that NATS has not confirmed take the slots */
	if (!deliver_room(d->deliver) && ack_flush_slots(d->ack_flush) > 0)
		return true;
	for (size_t i = 0; i < d->jobs.n_queues; i++, queue = queue->next)
		if (queue->n_waiting > 0)
			return true;
	for (const struct job *job = d->jobs.oldest; job != NULL; job = job->next)
		if (job->fetch_queue != NULL || job->again_ms != 0)
			return true;
	return false;
}

static void
report(struct dispatcher *d, enum stall_kind kind)
{
	struct sources_summary summary;

	sources_summary(d->sources, &summary);
	metric_add(
		kind == STALL_PULL ? d->metrics.stalled_pull : d->metrics.stalled_deliver, 1);
	log_error("the dispatcher has stopped: starting over; please report this line",
		L_STR("stopped", stall_name(kind)), L_INT("pending", (int64_t)summary.pending),
		L_INT("pulls", (int64_t)summary.open_pulls), L_INT("held", (int64_t)d->jobs.n),
		L_INT("evicted", (int64_t)d->jobs.n_evicted),
		L_INT("untried", (int64_t)d->jobs.n_untried),
		L_INT("idle", (int64_t)d->jobs.n_idle), L_INT("bytes", (int64_t)d->jobs.bytes),
		L_INT("in_flight", (int64_t)deliver_in_flight(d->deliver)),
		L_INT("unconfirmed", (int64_t)ack_flush_slots(d->ack_flush)),
		L_INT("circuit_open", circuit_open(d)));
}

/* No request is under way, so nothing will come back for these jobs. */
static void
give_back_all(struct dispatcher *d)
{
	while (d->jobs.oldest != NULL)
		settle_give_back(d->settle, d->jobs.oldest);
}

static void
start_over(struct dispatcher *d)
{
	give_back_all(d);
	jobs_reset(&d->jobs);
	deliver_reset(d->deliver);
	sources_restart(d->sources);
}

void
watchdog_turn(struct dispatcher *d, int64_t now_ms)
{
	struct stall_view view = { .holding = d->jobs.oldest != NULL ||
			inbox_taken(d->inbox) > 0,
		.progress = d->jobs.changes };
	struct sources_summary summary;
	enum stall_kind kind;

	if (now_ms - d->watchdog_ms < LOOK_MS)
		return;
	d->watchdog_ms = now_ms;
	view.able = able(d);
	sources_summary(d->sources, &summary);
	view.starving = summary.starving;
	if (view.holding)
		view.under_way = under_way(d);
	kind = stall_check(&d->stall, &view, now_ms);
	if (kind == STALL_NONE)
		return;
	report(d, kind);
	start_over(d);
}
