// SPDX-License-Identifier: Apache-2.0
/*
 * Drops the bodies of events that wait for failing or slow targets from memory, when they fill
 * the window so that no other events can be pulled. The job stays, with its targets, attempts
 * and times. The stream keeps the body, and body_fetch.h reads it again.
 */
#ifndef VCOURIER_EVICT_H
#define VCOURIER_EVICT_H

#include <stddef.h>
#include <stdint.h>

#include "job.h"

struct evict_limits {
	size_t window; /* events with a body; half of them stay */
	size_t bytes;  /* of all bodies */
};

void evict_turn(struct jobs *jobs, const struct evict_limits *limits, int64_t now_ms);

#endif
