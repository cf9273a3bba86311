// SPDX-License-Identifier: Apache-2.0
/*
 * Log lines and metrics of circuits that open and close. A circuit that flaps is logged once,
 * and then in sums (flap.h).
 */
#ifndef VCOURIER_PAUSE_H
#define VCOURIER_PAUSE_H

#include <stdint.h>

#include "dispatcher_metrics.h"
#include "err.h"
#include "job.h"
#include "processor.h"

/* The circuit of a queue opened or closed; outcome is the reason. */
void pause_queue(
	struct dispatcher_metrics *metrics, struct queue *queue, const struct outcome *outcome);
/* The circuit was open, and is now open because of a flood of refusals. */
void pause_flood(const struct queue *queue, const struct outcome *outcome);
/* The circuit of the whole destination opened or closed. All queues go on when it closed. */
void pause_destination(struct dispatcher_metrics *metrics, struct jobs *jobs,
	struct destination_state *destination, const struct err *why);
/*
 * Logs the sums that are due; now_ms INT64_MAX logs all of them, at the end. Returns how many
 * queues are paused.
 */
size_t pause_turn(struct jobs *jobs, struct destination_state *destination, int64_t now_ms);

#endif
