// SPDX-License-Identifier: Apache-2.0
#include "vcenter_clock.h"

static const int64_t us_per_ms = 1000;

enum vcenter_clock_step
vcenter_clock_set(struct vcenter_clock *clock, const struct vcenter_clock *answer,
	int64_t tolerance_us, int64_t *earliest_us)
{
	struct vcenter_clock before = *clock;
	int64_t least_us, most_us;

	*clock = *answer;
	clock->known = true;
	/*
	 * the longest time that may lie between the two readings of the clock, and the shortest
	 */
	most_us = (answer->told_ms - before.asked_ms) * us_per_ms;
	least_us = (answer->asked_ms - before.told_ms) * us_per_ms;
	*earliest_us = answer->shown_us - (before.known ? most_us : 0);
	if (!before.known)
		return VCENTER_CLOCK_STEADY;
	if (answer->shown_us < before.shown_us + least_us - tolerance_us)
		return VCENTER_CLOCK_BACK;
	if (answer->shown_us > before.shown_us + most_us + tolerance_us)
		return VCENTER_CLOCK_FORWARD;
	return VCENTER_CLOCK_STEADY;
}

int64_t
vcenter_clock_now(const struct vcenter_clock *clock, int64_t now_ms)
{
	return clock->shown_us + (now_ms - clock->told_ms) * us_per_ms;
}
