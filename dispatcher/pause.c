// SPDX-License-Identifier: Apache-2.0
/*
 * What log and metrics say when deliveries to a target pause and go on; one that flaps is told
 * in sums (flap.h).
 */
#include "dispatch.h"

#include "clock.h"
#include "log.h"

static void
tell_flood(const struct lane *lane, const struct outcome *outcome)
{
	log_error("destination rejects most events: deliveries pause, check the configuration",
		L_STR("target", lane->name), L_INT("status", outcome->status),
		L_ERR(&outcome->why));
}

void
pause_flood(const struct lane *lane, const struct outcome *outcome)
{
	if (lane->circuit.flap.changes == 0) /* a line told its pause */
		tell_flood(lane, outcome);
}

void
pause_lane(struct dispatcher *d, struct lane *lane, const struct outcome *outcome)
{
	bool open = lane->circuit.state == CIRCUIT_OPEN;

	lane->failing_ms = clock_monotonic_ms();
	books_circuit(&d->books, open);
	if (!open)
		lane_hurry(lane);
	if (!flap_change(&lane->circuit.flap, open, lane->failing_ms))
		return;
	if (!open)
		log_info("deliveries go on", L_STR("target", lane->name));
	else if (lane->circuit.flood)
		tell_flood(lane, outcome);
	else if (outcome->verdict == VERDICT_REJECTED)
		log_warn("destination refuses events: deliveries pause",
			L_STR("target", lane->name), L_INT("status", outcome->status),
			L_ERR(&outcome->why));
	else
		log_warn("destination fails: deliveries pause", L_STR("target", lane->name),
			L_INT("status", outcome->status), L_ERR(&outcome->why));
}

void
pause_gate(struct dispatcher *d, const struct err *why)
{
	bool open = d->gate.state == CIRCUIT_OPEN;

	d->gate_ms = clock_monotonic_ms();
	for (size_t i = 0; i < d->jobs.n_lanes && !open; i++, d->jobs.ring = d->jobs.ring->next)
		lane_hurry(d->jobs.ring);
	if (!flap_change(&d->gate.flap, open, d->gate_ms))
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
	struct lane *lane = d->jobs.ring;

	tell_sum(&d->gate, "", now_ms);
	for (size_t i = 0; i < d->jobs.n_lanes; i++, lane = lane->next)
		tell_sum(&lane->circuit, lane->name, now_ms);
}
