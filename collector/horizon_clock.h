// SPDX-License-Identifier: Apache-2.0
/*
 * Horizon's clock, by the Date header of its replies. With it, an event dated in the future and
 * a clock that was set can be distinguished from events in order.
 */
#ifndef VCOURIER_HORIZON_CLOCK_H
#define VCOURIER_HORIZON_CLOCK_H

#include "position.h"
#include "source_clock.h"
#include "stream_tail.h"

struct horizon_clock {
	struct source_clock clock;
	struct position *position; /* borrowed; it moves back with the clock */
	int64_t tolerance_us;      /* a smaller difference is no step */
};

void horizon_clock_init(struct horizon_clock *c, struct position *position, int64_t overlap_ms);

/* A reply came. True: the clock was set back, and so was the position. */
bool horizon_clock_take(struct horizon_clock *c, const struct source_clock *answer);

/* What it shows now; this machine's time before the first reply. */
int64_t horizon_clock_now(const struct horizon_clock *c);

/* The stream was read: was the clock set back since its newest events were stored? */
void horizon_clock_compare(struct horizon_clock *c, const struct stream_tail *tail);

#endif
