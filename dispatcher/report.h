// SPDX-License-Identifier: Apache-2.0
/*
 * Replies to status requests on the bus (`vcourier status`). Nothing is stored there: each
 * replica that runs replies, one that has ended does not. The loop's.
 */
#ifndef VCOURIER_REPORT_H
#define VCOURIER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "bus.h"
#include "event_streams.h"
#include "inbox.h"
#include "refresh.h"

struct report;

struct report_status {
	size_t in_flight; /* requests */
	size_t in_memory; /* events */
	size_t targets, paused_targets;
	size_t held;        /* events without a target, until the list of targets is settled */
	bool down;          /* the destination as a whole does not answer */
	int64_t paused_ms;  /* for how long destination or target have been paused */
	const char *target; /* the one that has been paused for longest; NULL: none is */
	int target_status;  /* the status of its last failed request; 0: no HTTP reply came */
	bool dead_letters_fail;
	const struct refresher *refresher;   /* of it, what failed or has a warning */
	const struct event_streams *streams; /* that it reads; NULL: not reported */
};

/* Fills in the present status. What it refers to must live until the callback's caller ends. */
typedef void report_status_fn(void *ctx, struct report_status *status);

struct report_config { /* all borrowed */
	struct bus *bus;
	struct inbox *inbox;
	const char
		*durable; /* the dispatcher's token: requests go to STATUS_PREFIX.<durable> */
	report_status_fn *status;
	void *ctx;
};

int report_open(struct report **report, const struct report_config *config, struct err *err);
void report_close(struct report *report); /* after the bus. NULL is fine */

/* The reply, a JSON object. docs/operations.md has its members. */
void report_write(const struct report_status *status, struct buf *out);

#endif
