// SPDX-License-Identifier: Apache-2.0
/*
 * What log and metrics say when deliveries to a target pause and go on; one that flaps is told
 * in sums (flap.h).
 */
#include "dispatch.h"

#include "clock.h"
#include "log.h"

static void
tell_flood(const struct queue *queue, const struct outcome *outcome)
{
	log_error("destination rejects most events: deliveries pause, check the configuration",
		L_STR("target", queue->name), L_INT("status", outcome->status),
		L_ERR(&outcome->why));
}

void
pause_flood(const struct queue *queue, const struct outcome *outcome)
{
	if (queue->circuit.flap.changes == 0) /* a line told its pause */
		tell_flood(queue, outcome);
}

void
pause_queue(struct dispatcher *d, struct queue *queue, const struct outcome *outcome)
{
	bool open = queue->circuit.state == CIRCUIT_OPEN;

	queue->failing_ms = clock_monotonic_ms();
	dispatcher_metrics_circuit(&d->metrics, open);
	if (!open)
		queue_wake_all(queue);
	if (!flap_change(&queue->circuit.flap, open, queue->failing_ms))
		return;
	if (!open)
		log_info("deliveries go on", L_STR("target", queue->name));
	else if (queue->circuit.flood)
		tell_flood(queue, outcome);
	else if (outcome->verdict == VERDICT_REJECTED)
		log_warn("destination refuses events: deliveries pause",
			L_STR("target", queue->name), L_INT("status", outcome->status),
			L_ERR(&outcome->why));
	else
		log_warn("destination fails: deliveries pause", L_STR("target", queue->name),
			L_INT("status", outcome->status), L_ERR(&outcome->why));
}

void
pause_destination(struct dispatcher *d, const struct err *why)
{
	bool open = d->destination.state == CIRCUIT_OPEN;

	d->destination_changed_ms = clock_monotonic_ms();
	for (size_t i = 0; i < d->jobs.n_queues && !open;
		i++, d->jobs.ring = d->jobs.ring->next)
		queue_wake_all(d->jobs.ring);
	if (!flap_change(&d->destination.flap, open, d->destination_changed_ms))
		return;
	if (open)
		log_warn("destination does not answer: deliveries pause",
			L_STR("error", why->text));
	else
		log_info("destination answers again");
}

static void
tell_sum(struct circuit *c, const char *target, int64_t now_ms)
{
	int64_t since_ms = c->flap.since_ms;
	unsigned pauses;

	if (flap_sum(&c->flap, &pauses, now_ms))
		log_warn("deliveries pause and go on again and again", L_STR("target", target),
			L_INT("pauses", pauses),
			L_MS("within", clock_monotonic_ms() - since_ms),
			L_BOOL("paused", c->state == CIRCUIT_OPEN));
}

void
pause_turn(struct dispatcher *d, int64_t now_ms)
{
	struct queue *queue = d->jobs.ring;

	tell_sum(&d->destination, "", now_ms);
	for (size_t i = 0; i < d->jobs.n_queues; i++, queue = queue->next)
		tell_sum(&queue->circuit, queue->name, now_ms);
}
