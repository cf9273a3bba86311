// SPDX-License-Identifier: Apache-2.0
/*
 * The collector's loop: one vCenter's events into one stream, once each, for as long as it
 * runs.
 */
#ifndef VCOURIER_COLLECT_H
#define VCOURIER_COLLECT_H

#include "bus.h"
#include "jetstream.h"
#include "vcenter_options.h"
#include "vim.h"

struct collect_options {
	const char *name;           /* of the vCenter, as configured */
	const char *subject_prefix; /* "vc" */
	/* an event is also trimmed to what a message of the bus may have */
	struct vim_options vim;
	struct stream_config stream;
	/* where to begin when the stream holds nothing of this vCenter's */
	enum vcenter_start start;
	int64_t start_value; /* TIME: us since 1970, AGO: ms before the vCenter's now */
	/* W: how far behind the newest event a new collector begins; 60 s */
	int64_t overlap_ms;
	int64_t audit_span_ms;     /* A: how far back late events are looked for; 10 min */
	int64_t audit_interval_ms; /* how often; 60 s */
	/*
	 * how long events are not read while no event descriptions have come, and how long the
	 * account must have all privileges again until the hidden events are read
	 */
	int64_t empty_grace_ms;
	/* pause after a page that was not full: 20 ms, doubling to 500 ms */
	int64_t poll_min_ms, poll_max_ms;
	int window; /* publishes in flight */
	/* choose one reader among several collectors by a lease in NATS KV */
	bool lease;
};

/*
 * Runs until a stop is requested; then drains, logs out and returns 0. -1: cannot even begin.
 */
/* Takes the bus: closes it. */
int collect_run(struct bus *bus, struct http *http, const struct collect_options *options,
	struct err *err);

#endif
