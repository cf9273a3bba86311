// SPDX-License-Identifier: Apache-2.0
/*
 * Reads past runs of events that the account cannot see. A page of a collector that is full of
 * such events is empty, and the collector stays there for ever (govmomi issue 3450). So the
 * span is read in windows that are halved until no window can hold a page of hidden events.
 */
#ifndef VCOURIER_VCENTER_BISECT_H
#define VCOURIER_VCENTER_BISECT_H

#include "vcenter_catalogue.h"
#include "vcenter_window.h"

struct vcenter_bisect {
	const struct vcenter_window_reader *reader; /* borrowed */
	/*
	 * The windows get smaller while readings find nothing. 0: the next reading is the first
	 * one.
	 */
	unsigned depth;
};

/*
 * Reads (from_us, latest], coarse at first and finer as long as that finds more. *found:
 * increased by the events that were not stored.
 */
enum source_result vcenter_bisect_read(struct vcenter_bisect *b, int64_t from_us,
	const struct vim_latest *latest, size_t *found, struct err *err);

/*
 * The same span by event type: for events that no window of time separates, because they
 * happened in one microsecond. A run of more than a page of hidden events of one type in one
 * microsecond still hides the rest of that type after it.
 */
enum source_result vcenter_bisect_read_types(struct vcenter_bisect *b,
	const struct vcenter_catalogue *types, const struct vcenter_window *span, size_t *found,
	struct err *err);

bool vcenter_bisect_is_exhausted(const struct vcenter_bisect *b); /* no smaller windows left */
void vcenter_bisect_reset(struct vcenter_bisect *b);              /* for another event */

#endif
