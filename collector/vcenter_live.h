// SPDX-License-Identifier: Apache-2.0
/* Polling the live collector: new events, in the order in which the vCenter stored them. */
#ifndef VCOURIER_VCENTER_LIVE_H
#define VCOURIER_VCENTER_LIVE_H

#include "source_checkpoint.h"
#include "source.h"
#include "vcenter_clock_watch.h"
#include "vcenter_cursor.h"
#include "vcenter_intake.h"
#include "vcenter_options.h"
#include "vim.h"

/* What polling needs; all borrowed. */
struct vcenter_live {
	struct vim *vim;
	struct vcenter_cursor *cursor;
	struct source_checkpoint *checkpoint;
	struct vcenter_clock_watch *clock;
	struct vcenter_intake *intake;
	/* where to begin when the stream holds nothing of this vCenter */
	const struct source_start *start;
};

/* Opens the cursor at the reading position. */
enum source_result vcenter_live_open(const struct vcenter_live *l, struct err *err);

/*
 * Reads and takes one page; moves the reading position. *full: more events wait; *fresh: those
 * that were not stored.
 */
enum source_result vcenter_live_poll(
	const struct vcenter_live *l, bool *full, size_t *fresh, struct err *err);

#endif
