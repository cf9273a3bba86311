// SPDX-License-Identifier: Apache-2.0
/*
 * The vCenter's clock: only it can say whether an event is dated ahead, or time itself went
 * back.
 */
#include "clock.h"
#include "collect_state.h"
#include "log.h"

enum {
	CHECK_EVERY_MS = 10000,
	DATES_EVERY_MS = 1000, /* while events come with dates that it has to confirm */
	STEP_MIN_MS = 1000,
	STEP_MAX_MS = 30000,
};

static const int64_t us_per_ms = 1000;

/* What the overlap covers is no step that anything has to be done about. */
static int64_t
tolerance_us(const struct collect *c)
{
	int64_t ms = c->options->overlap_ms / 2;

	return (ms < STEP_MIN_MS                  ? STEP_MIN_MS
			       : ms > STEP_MAX_MS ? STEP_MAX_MS
						  : ms) *
		us_per_ms;
}

static void
went_back(struct collect *c, int64_t earliest_us, int64_t now_us)
{
	char from[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE], newest[CLOCK_TEXT_SIZE] = "";

	if (c->position.any)
		clock_format(c->position.newest.created_us, newest);
	if (!position_set_back(&c->position, earliest_us))
		return;
	collect_count_epoch();
	log_error(
		"the vCenter's clock was set back: reading again from the earliest time that a new event can have",
		L_STR("clock", clock_format(now_us, now)), L_STR("newest_stored", newest),
		L_STR("from", clock_format(earliest_us, from)));
	collect_abandon(c); /* it would leave out what is dated before its beginning */
}

int
collect_ask_clock(struct collect *c, struct err *err)
{
	struct vcenter_clock answer = { .asked_ms = clock_monotonic_ms() };
	int64_t earliest_us;

	if (vim_current_time(c->vim, &answer.shown_us, err) != 0)
		return -1;
	answer.told_ms = clock_monotonic_ms();
	collect_set_clock_skew((double)(answer.shown_us - clock_wall_us()) / 1e6);
	switch (vcenter_clock_set(&c->clock, &answer, tolerance_us(c), &earliest_us)) {
	case VCENTER_CLOCK_BACK:
		went_back(c, earliest_us, answer.shown_us);
		break;
	case VCENTER_CLOCK_FORWARD:
		log_warn("the vCenter's clock was set forward");
		position_set_forward(&c->position, answer.told_ms);
		break;
	case VCENTER_CLOCK_STEADY:
		break;
	}
	return 0;
}

int
collect_check_clock(struct collect *c, struct err *err)
{
	return clock_monotonic_ms() - c->clock.told_ms < CHECK_EVERY_MS
		? 0
		: collect_ask_clock(c, err);
}

int
collect_check_date(struct collect *c, int64_t created_us, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();
	enum position_date date = position_date(
		&c->position, created_us, vcenter_clock_now(&c->clock, now_ms));
	int64_t *asked_ms = &c->date_asked_ms[date];

	if (date == POSITION_IN_ORDER ||
		(*asked_ms != 0 && now_ms - *asked_ms < DATES_EVERY_MS))
		return 0;
	*asked_ms = now_ms;
	return collect_ask_clock(c, err);
}

int
collect_check_dates(struct collect *c, const struct normalize_page *page, struct err *err)
{
	int64_t now_us = vcenter_clock_now(&c->clock, clock_monotonic_ms());
	size_t i;

	for (i = 0; i < page->n; i++) {
		const struct normalize_event *e = &page->event[i];

		if (position_date(&c->position, e->created_us, now_us) != POSITION_IN_ORDER &&
			!seen_has(&c->seen, e->key, e->created_us) &&
			collect_check_date(c, e->created_us, err) != 0)
			return -1;
	}
	return 0;
}

void
collect_compare_clock(struct collect *c, const struct tail *tail)
{
	int64_t now_us = vcenter_clock_now(&c->clock, clock_monotonic_ms()),
		wall_us = clock_wall_us();
	int64_t elapsed_us = wall_us > tail->stored_at_us ? wall_us - tail->stored_at_us : 0;
	char from[CLOCK_TEXT_SIZE];

	if (!tail->held || (tail->any && now_us - wall_us >= tail->ahead_us - tolerance_us(c)))
		return;
	if (position_set_back(&c->position, now_us - elapsed_us))
		log_warn(
			"the stream's newest events are dated later than the vCenter's clock allows: it was set back",
			L_STR("from", clock_format(now_us - elapsed_us, from)));
}
