// SPDX-License-Identifier: Apache-2.0
#include "source_clock.h"

static const int64_t us_per_ms = 1000;

enum source_clock_step
source_clock_set(struct source_clock *clock, const struct source_clock *answer,
	int64_t tolerance_us, int64_t *earliest_us)
{
	struct source_clock before = *clock;
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
		return SOURCE_CLOCK_STEADY;
	if (answer->shown_us < before.shown_us + least_us - tolerance_us)
		return SOURCE_CLOCK_BACK;
	if (answer->shown_us > before.shown_us + most_us + tolerance_us)
		return SOURCE_CLOCK_FORWARD;
	return SOURCE_CLOCK_STEADY;
}

int64_t
source_clock_now(const struct source_clock *clock, int64_t now_ms)
{
	return clock->shown_us + (now_ms - clock->told_ms) * us_per_ms;
}
