// SPDX-License-Identifier: Apache-2.0
/*
 * A circuit breaker for one destination; pure, time is an argument.
 *
 * Closed: requests go out. It opens when several events in a row fail or are refused
 * (refusals.h: that need not be their fault), when the destination asks for a pause
 * (Retry-After), or when it refuses most of what it gets: a wrong setting must not empty the
 * stream into the dead letters. Open: one probe at a time, after 1, 2, 4 ... 60 s. One success,
 * of whatever request, closes it.
 */
#ifndef VCOURIER_CIRCUIT_H
#define VCOURIER_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>

#include "backoff.h"
#include "flap.h"

enum {
	CIRCUIT_FAILURES = 5,             /* different events in a row */
	CIRCUIT_FLOOD = 20,               /* rejections, and more than half of the results, */
	CIRCUIT_FLOOD_MS = 60 * 1000,     /* within this */
	CIRCUIT_PROBE_MAX_MS = 60 * 1000, /* between probes, unless Retry-After says more */
};

enum circuit_state { CIRCUIT_CLOSED, CIRCUIT_OPEN };

struct circuit {
	enum circuit_state state;
	bool flood;        /* open because of rejections */
	bool probing;      /* open, and a probe is under way */
	unsigned failures; /* in a row, each of another event than the one before */
	uint64_t last_failed;
	int64_t probe_at_ms;
	struct backoff probes;
	unsigned results, rejections; /* since window_ms */
	int64_t window_ms;
	struct flap flap; /* which of its changes are logged; the caller's */
};

/*
 * The first probe comes after initial_ms at most, all further ones after max_ms or 60 s at
 * most.
 */
void circuit_init(struct circuit *c, int64_t initial_ms, int64_t max_ms, uint64_t seed);

/* May a request go out now? When open, that request is the probe: tell circuit_begin. */
bool circuit_allows(const struct circuit *c, int64_t now_ms);
void circuit_begin(struct circuit *c);

/*
 * How a request ended. They return true when the state changed. event: any number that
 * identifies the event.
 */
bool circuit_success(struct circuit *c, int64_t now_ms);
bool circuit_failure(
	struct circuit *c, uint64_t event, bool probe, int64_t retry_after_ms, int64_t now_ms);
/*
 * at_fault: the event is, as refusals.h has it. Then the destination works: an outage is over,
 * a flood goes on. Otherwise the refusal counts as a failure, too. Returns true also when it
 * was open already and is a flood from now on.
 */
bool circuit_rejection(
	struct circuit *c, uint64_t event, bool probe, bool at_fault, int64_t now_ms);

/* While it is open: the next probe comes by then. */
void circuit_probe_by(struct circuit *c, int64_t at_ms);

/* The probe came to nothing: neither good nor bad. */
void circuit_abandon(struct circuit *c);

#endif
