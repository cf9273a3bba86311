// SPDX-License-Identifier: Apache-2.0
#include "pause.h"

#include "clock.h"
#include "log.h"

static void
log_flood(const struct queue *queue, const struct outcome *outcome)
{
	log_error("destination rejects most events: deliveries pause, check the configuration",
		L_STR("target", queue->name), L_INT("status", outcome->status),
		L_ERR(&outcome->why));
}

void
pause_flood(const struct queue *queue, const struct outcome *outcome)
{
	if (queue->circuit.flap.changes == 0) /* its pause was logged */
		log_flood(queue, outcome);
}

void
pause_queue(
	struct dispatcher_metrics *metrics, struct queue *queue, const struct outcome *outcome)
{
	bool open = queue->circuit.state == CIRCUIT_OPEN;

	queue->failing_ms = clock_monotonic_ms();
	if (open)
		dispatcher_metrics_pause(metrics);
	else
		delivery_wake_all(queue);
	if (!flap_change(&queue->circuit.flap, open, queue->failing_ms))
		return;
	if (!open)
		log_info("deliveries go on", L_STR("target", queue->name));
	else if (queue->circuit.flood)
		log_flood(queue, outcome);
	else if (outcome->verdict == VERDICT_REJECTED)
		log_warn("destination refuses events: deliveries pause",
			L_STR("target", queue->name), L_INT("status", outcome->status),
			L_ERR(&outcome->why));
	else
		log_warn("destination fails: deliveries pause", L_STR("target", queue->name),
			L_INT("status", outcome->status), L_ERR(&outcome->why));
}

void
pause_destination(struct dispatcher_metrics *metrics, struct jobs *jobs,
	struct destination_state *destination, const struct err *why)
{
	bool open = destination->circuit.state == CIRCUIT_OPEN;
	struct queue *queue;

	destination->changed_ms = clock_monotonic_ms();
	if (open) {
		dispatcher_metrics_pause(metrics);
	} else {
		TAILQ_FOREACH(queue, &jobs->queues, link)
			delivery_wake_all(queue);
	}
	if (!flap_change(&destination->circuit.flap, open, destination->changed_ms))
		return;
	if (open)
		log_warn("destination does not answer: deliveries pause",
			L_STR("error", why->text));
	else
		log_info("destination answers again");
}

static void
log_sum(struct circuit *c, const char *target, int status, int64_t now_ms)
{
	int64_t since_ms = c->flap.since_ms;
	unsigned pauses;

	if (flap_sum(&c->flap, &pauses, now_ms))
		log_warn("deliveries pause and go on again and again", L_STR("target", target),
			L_INT("pauses", pauses),
			L_MS("within", clock_monotonic_ms() - since_ms),
			L_BOOL("paused", c->state == CIRCUIT_OPEN), L_INT("status", status));
}

size_t
pause_turn(struct jobs *jobs, struct destination_state *destination, int64_t now_ms)
{
	struct queue *queue;
	size_t paused = 0;

	log_sum(&destination->circuit, "", 0, now_ms);
	TAILQ_FOREACH(queue, &jobs->queues, link) {
		log_sum(&queue->circuit, queue->name, queue->status, now_ms);
		paused += queue->circuit.state == CIRCUIT_OPEN;
	}
	return paused;
}
