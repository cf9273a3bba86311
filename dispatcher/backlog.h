// SPDX-License-Identifier: Apache-2.0
/*
 * Idle events. An event that only waits, for its next try, for a paused target or for a slot of
 * a slow one, is no reason to pull less. Otherwise the backlog of one function, or a few events
 * that fail again and again, would fill the window and delay all others. So the window does not
 * count idle events. They may take half of the buffer. Beyond that, a target that keeps failing
 * while others work loses its oldest events to the dead letters. When no target works, the
 * fault is the destination's: everything waits, and events end by their age only.
 * All functions are for the thread of the event loop; now_ms is monotonic.
 */
#ifndef VCOURIER_BACKLOG_H
#define VCOURIER_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver.h"
#include "dispatcher_metrics.h"
#include "dispatcher_options.h"
#include "job.h"
#include "settle.h"

struct backlog;

struct backlog_config {
	struct jobs *jobs;
	struct settle *settle;
	const struct deliver *deliver;
	struct dispatcher_metrics *metrics;
	const struct dispatch_options *options;
};

struct backlog *backlog_open(const struct backlog_config *config);
void backlog_close(struct backlog *backlog); /* NULL is allowed */

/* The jobs in memory that are not idle. The count is up to 0.1 s old. */
size_t backlog_active(struct backlog *backlog, int64_t now_ms);
/*
 * Counts the idle jobs and ends those that waited too long. may_give_up false: only counts,
 * because no dead letter can be stored or no target works.
 */
void backlog_turn(struct backlog *backlog, bool may_give_up, int64_t now_ms);

#endif
