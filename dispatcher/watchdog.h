// SPDX-License-Identifier: Apache-2.0
/*
 * Checks once a second whether the dispatcher has stopped although it has work (stall.h), and
 * reports that. The loop's.
 */
#ifndef VCOURIER_WATCHDOG_H
#define VCOURIER_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher_metrics.h"
#include "job.h"
#include "sources.h"
#include "stall.h"

/* Zero it to begin. */
struct watchdog {
	struct stall stall;
	int64_t checked_ms;
};

struct watchdog_view {
	const struct jobs *jobs;
	struct sources_summary sources;
	size_t messages;  /* taken from the inbox, and no jobs yet */
	size_t in_flight; /* requests by the dispatcher's own count */
	/* slots of deliveries whose acks are not known to have reached the server */
	size_t unconfirmed;
	/* NATS, refreshes and dead letters work, and no stop was requested */
	bool able;
	/*
	 * a request to anywhere, a dead letter or an ack that takes the last slot is under way
	 */
	bool under_way;
	bool paused; /* the destination as a whole */
};

bool watchdog_due(const struct watchdog *watchdog, int64_t now_ms); /* now_ms: monotonic */
/*
 * True when the dispatcher has stopped by a fault of its own: give back all jobs, reset the
 * counters and pull again. Logged and counted.
 */
bool watchdog_check(struct watchdog *watchdog, const struct watchdog_view *view,
	struct dispatcher_metrics *metrics, int64_t now_ms);

#endif
