// SPDX-License-Identifier: Apache-2.0
#include "horizon_clock.h"

#include "clock.h"
#include "horizon_metrics.h"
#include "log.h"

enum { STEP_MIN_MS = 3000, STEP_MAX_MS = 30000 }; /* a Date header has whole seconds */

static const int64_t us_per_ms = 1000;

void
horizon_clock_init(struct horizon_clock *c, struct position *position, int64_t overlap_ms)
{
	int64_t ms = overlap_ms / 2;

	if (ms < STEP_MIN_MS)
		ms = STEP_MIN_MS;
	if (ms > STEP_MAX_MS)
		ms = STEP_MAX_MS;
	*c = (struct horizon_clock){ .position = position, .tolerance_us = ms * us_per_ms };
}

int64_t
horizon_clock_now(const struct horizon_clock *c)
{
	return c->clock.known ? source_clock_now(&c->clock, clock_monotonic_ms())
			      : clock_wall_us();
}

static bool
set_back(struct horizon_clock *c, int64_t earliest_us)
{
	char from[CLOCK_TEXT_SIZE];

	if (!position_set_back(c->position, earliest_us))
		return false;
	log_error(
		"Horizon's clock was set back: reading again from the earliest time that a new event can have",
		L_STR("from", clock_format(earliest_us, from)));
	return true;
}

bool
horizon_clock_take(struct horizon_clock *c, const struct source_clock *answer)
{
	int64_t earliest_us;

	horizon_metrics_clock_skew((double)(answer->shown_us - clock_wall_us()) / 1e6);
	switch (source_clock_set(&c->clock, answer, c->tolerance_us, &earliest_us)) {
	case SOURCE_CLOCK_BACK:
		return set_back(c, earliest_us - c->tolerance_us);
	case SOURCE_CLOCK_FORWARD:
		log_warn("Horizon's clock was set forward");
		position_set_forward(c->position, answer->told_ms);
		break;
	case SOURCE_CLOCK_STEADY:
		break;
	}
	return false;
}

void
horizon_clock_compare(struct horizon_clock *c, const struct stream_tail *tail)
{
	int64_t now_us = horizon_clock_now(c), wall_us = clock_wall_us();
	int64_t elapsed_us = wall_us > tail->stored_at_us ? wall_us - tail->stored_at_us : 0;

	if (!tail->held || (tail->any && now_us - wall_us >= tail->ahead_us - c->tolerance_us))
		return;
	set_back(c, now_us - elapsed_us - c->tolerance_us);
}
