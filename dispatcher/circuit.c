// SPDX-License-Identifier: Apache-2.0
#include "circuit.h"

void
circuit_init(struct circuit *c, int64_t initial_ms, int64_t max_ms, uint64_t seed)
{
	int64_t max = max_ms < CIRCUIT_PROBE_MAX_MS ? max_ms : CIRCUIT_PROBE_MAX_MS;

	*c = (struct circuit){ .state = CIRCUIT_CLOSED };
	backoff_init(&c->probes, initial_ms < max ? initial_ms : max, max, seed);
}

bool
circuit_allows(const struct circuit *c, int64_t now_ms)
{
	return c->state == CIRCUIT_CLOSED || (!c->probing && now_ms >= c->probe_at_ms);
}

void
circuit_begin(struct circuit *c)
{
	c->probing = c->state == CIRCUIT_OPEN;
}

/* The second half of the backoff is the jitter: a probe at once would say nothing new. */
static void
schedule_probe(struct circuit *c, int64_t retry_after_ms, int64_t now_ms)
{
	int64_t jitter = backoff_next(&c->probes) / 2;
	int64_t wait = backoff_ceiling(
			       c->probes.initial_ms, c->probes.max_ms, c->probes.attempts) /
			2 +
		jitter;

	c->probe_at_ms = now_ms + (retry_after_ms > wait ? retry_after_ms : wait);
	c->probing = false;
}

static bool
open_it(struct circuit *c, bool flood, int64_t retry_after_ms, int64_t now_ms)
{
	c->state = CIRCUIT_OPEN;
	c->flood = flood;
	schedule_probe(c, retry_after_ms, now_ms);
	return true;
}

static void
count(struct circuit *c, bool rejected, int64_t now_ms)
{
	if (now_ms - c->window_ms > CIRCUIT_FLOOD_MS) {
		c->window_ms = now_ms;
		c->results = c->rejections = 0;
	}
	c->results++;
	c->rejections += rejected;
}

bool
circuit_success(struct circuit *c, int64_t now_ms)
{
	bool changed = c->state == CIRCUIT_OPEN;

	count(c, false, now_ms);
	if (changed)
		c->results = c->rejections = 0;
	c->state = CIRCUIT_CLOSED;
	c->flood = c->probing = false;
	c->failures = 0;
	backoff_reset(&c->probes);
	return changed;
}

/* An event that fails again and again, alone, says something about the event. */
static void
count_failure(struct circuit *c, uint64_t event)
{
	if (c->failures == 0 || event != c->last_failed)
		c->failures++;
	c->last_failed = event;
}

bool
circuit_failure(
	struct circuit *c, uint64_t event, bool probe, int64_t retry_after_ms, int64_t now_ms)
{
	if (c->state == CIRCUIT_OPEN) {
		if (probe)
			schedule_probe(c, retry_after_ms, now_ms);
		else if (retry_after_ms > 0 && c->probe_at_ms < now_ms + retry_after_ms)
			c->probe_at_ms = now_ms + retry_after_ms;
		return false;
	}
	count_failure(c, event);
	if (retry_after_ms <= 0 && c->failures < CIRCUIT_FAILURES)
		return false;
	return open_it(c, false, retry_after_ms, now_ms);
}

bool
circuit_rejection(struct circuit *c, uint64_t event, bool probe, bool at_fault, int64_t now_ms)
{
	bool flood, new_flood;

	/* one event that is refused again and again is no flood */
	if (c->failures == 0 || event != c->last_failed)
		count(c, true, now_ms);
	flood = c->rejections >= CIRCUIT_FLOOD && c->rejections * 2 > c->results;
	if (c->state == CIRCUIT_OPEN) {
		if (at_fault && !c->flood)
			return circuit_success(c, now_ms);
		if (probe)
			schedule_probe(c, -1, now_ms);
		new_flood = flood && !c->flood;
		c->flood |= flood;
		return new_flood;
	}
	if (at_fault)
		c->failures = 0;
	else
		count_failure(c, event);
	return (flood || c->failures >= CIRCUIT_FAILURES) && open_it(c, flood, -1, now_ms);
}

void
circuit_probe_by(struct circuit *c, int64_t at_ms)
{
	if (c->state == CIRCUIT_OPEN && at_ms < c->probe_at_ms)
		c->probe_at_ms = at_ms;
}

void
circuit_abandon(struct circuit *c)
{
	c->probing = false;
}
