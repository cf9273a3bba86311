// SPDX-License-Identifier: Apache-2.0
/*
 * Replies to status requests on the bus (`vcourier status`). Nothing is stored there: each
 * collector that runs replies, leader or standby; one that has ended does not. The reply comes
 * from a thread of the bus, so a loop that waits for its source is reported, not hidden.
 */
#ifndef VCOURIER_COLLECT_REPORT_H
#define VCOURIER_COLLECT_REPORT_H

#include "buf.h"
#include "bus.h"
#include "collect_metrics.h"

struct collect_report;

struct collect_report_config { /* all borrowed */
	struct bus *bus;
	const char *name;    /* of the source: requests go to STATUS_COLLECTOR_PREFIX.<token> */
	const char *kind;    /* struct source.name */
	const char *address; /* of the source, without user info */
};

/* What the collector says of itself. */
struct collect_report_state {
	struct collect_metrics_view now;
	/* monotonic: when all that the source had was read, or when the loop began */
	int64_t caught_up_ms;
};

int collect_report_open(struct collect_report **report,
	const struct collect_report_config *config, struct err *err);
void collect_report_close(struct collect_report *report); /* after the bus. NULL is fine */

/* The loop's, in each turn. The state is copied. */
void collect_report_update(
	struct collect_report *report, const struct collect_report_state *state);

/*
 * The reply, a JSON object; now_ms: monotonic. docs/operations.md has its members.
 */
void collect_report_write(const struct collect_report_config *config,
	const struct collect_report_state *state, int64_t now_ms, struct buf *out);

#endif
