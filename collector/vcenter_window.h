// SPDX-License-Identifier: Apache-2.0
/*
 * Reading a span of time again, with a collector of its own: for events that the live collector
 * did not show.
 */
#ifndef VCOURIER_VCENTER_WINDOW_H
#define VCOURIER_VCENTER_WINDOW_H

#include "source_checkpoint.h"
#include "source.h"
#include "vcenter_clock_watch.h"
#include "vcenter_intake.h"
#include "vim.h"

/* What a reading needs; all borrowed. */
struct vcenter_window_reader {
	struct vim *vim;
	struct source_checkpoint *checkpoint;
	struct vcenter_intake *intake;
	const struct vcenter_clock_watch *clock;
};

struct vcenter_window {
	struct vim_filter filter;
	/*
	 * Take only events with a key after `after_key`. Others in this span are of long ago,
	 * and `seen` need not know them.
	 */
	bool by_key;
	int32_t after_key;
	/* results: events that came, and those of them that were not stored */
	size_t read, fresh;
	int64_t last_us; /* createdTime of the last one; when `read` */
	unsigned calls;
};

/* Reads the window to its end, or until a stop is requested. Adds to its results. */
enum source_result vcenter_window_read(
	const struct vcenter_window_reader *r, struct vcenter_window *w, struct err *err);

#endif
