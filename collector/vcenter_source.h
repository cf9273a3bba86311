// SPDX-License-Identifier: Apache-2.0
/* vCenter as a source of events (source.h): one session, one live collector, and its checks. */
#ifndef VCOURIER_VCENTER_SOURCE_H
#define VCOURIER_VCENTER_SOURCE_H

#include "source.h"
#include "vcenter_options.h"
#include "vim.h"

struct vcenter_source_options {
	const char *name;           /* of the vCenter, as configured */
	const char *subject_prefix; /* "vc" */
	/* an event is also trimmed to what a message of the bus may have */
	struct vim_options vim;
	/* where to begin when the stream holds nothing of this vCenter */
	enum vcenter_start start;
	int64_t start_value;       /* TIME: us since 1970, AGO: ms before the vCenter's now */
	int64_t overlap_ms;        /* steps of the clock that this covers are ignored */
	int64_t audit_interval_ms; /* between two audits, and two questions for privileges */
	/*
	 * how long events are not read while no event descriptions have come, and how long the
	 * account must have all privileges again until the hidden events are read
	 */
	int64_t empty_grace_ms;
	/* pause after a page that was not full: 20 ms, doubling to 500 ms */
	int64_t poll_min_ms, poll_max_ms;
};

extern const struct source vcenter_source; /* its options: struct vcenter_source_options */

#endif
