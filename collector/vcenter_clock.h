// SPDX-License-Identifier: Apache-2.0
/*
 * What the vCenter's clock shows, between two answers of CurrentTime, and whether it was set.
 * Pure. Times ending in _ms are monotonic milliseconds of this machine, times ending in _us are
 * the vCenter's microseconds since 1970.
 */
#ifndef VCOURIER_VCENTER_CLOCK_H
#define VCOURIER_VCENTER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct vcenter_clock {
	bool known;
	int64_t shown_us;          /* the last answer */
	int64_t asked_ms, told_ms; /* when it was asked for, and when it came */
};

enum vcenter_clock_step {
	VCENTER_CLOCK_STEADY,
	VCENTER_CLOCK_BACK,    /* it was set back */
	VCENTER_CLOCK_FORWARD, /* it was set forward */
};

/*
 * Takes an answer. A difference of up to tolerance_us is no step, nor is what the duration of
 * the calls explains. *earliest_us: an event that the vCenter stored since the answer before
 * this one, after a step, carries no earlier time. The first answer is never a step.
 */
enum vcenter_clock_step vcenter_clock_set(struct vcenter_clock *clock,
	const struct vcenter_clock *answer, int64_t tolerance_us, int64_t *earliest_us);

/* What the clock shows now, or a little less: the delay of the answer is not known. */
int64_t vcenter_clock_now(const struct vcenter_clock *clock, int64_t now_ms);

#endif
