// SPDX-License-Identifier: Apache-2.0
/*
 * What the clock of a source shows, between two of its answers, and whether it was set.
 * Pure. Times ending in _ms are monotonic milliseconds of this machine, times ending in _us are
 * the source's microseconds since 1970.
 */
#ifndef VCOURIER_SOURCE_CLOCK_H
#define VCOURIER_SOURCE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct source_clock {
	bool known;
	int64_t shown_us;          /* the last answer */
	int64_t asked_ms, told_ms; /* when it was asked for, and when it came */
};

enum source_clock_step {
	SOURCE_CLOCK_STEADY,
	SOURCE_CLOCK_BACK,    /* it was set back */
	SOURCE_CLOCK_FORWARD, /* it was set forward */
};

/*
 * Takes an answer. A difference of up to tolerance_us is no step, nor is what the duration of
 * the calls explains. *earliest_us: an event that the source stored since the answer before
 * this one, after a step, carries no earlier time. The first answer is never a step.
 */
enum source_clock_step source_clock_set(struct source_clock *clock,
	const struct source_clock *answer, int64_t tolerance_us, int64_t *earliest_us);

/* What the clock shows now, or a little less: the delay of the answer is not known. */
int64_t source_clock_now(const struct source_clock *clock, int64_t now_ms);

#endif
