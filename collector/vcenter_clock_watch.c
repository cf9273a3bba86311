// SPDX-License-Identifier: Apache-2.0
#include "vcenter_clock_watch.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "vcenter_metrics.h"

enum {
	CHECK_EVERY_MS = 20000,
	DATES_EVERY_MS = 1000, /* while events have dates that the clock has to confirm */
	STEP_MIN_MS = 1000,
	STEP_MAX_MS = 30000,
};

static const int64_t us_per_ms = 1000;

struct vcenter_clock_watch {
	struct vim *vim;
	struct vcenter_cursor *cursor;
	struct position *position;
	const struct seen *seen;
	struct source_clock clock;
	int64_t tolerance_us;
	/* monotonic: when it was asked because of such a date; 0: never */
	int64_t date_asked_ms[POSITION_BEHIND + 1];
};

struct vcenter_clock_watch *
vcenter_clock_watch_open(struct vim *vim, struct source_checkpoint *cp,
	struct vcenter_cursor *cursor, int64_t overlap_ms)
{
	struct vcenter_clock_watch *w = mem_alloc(sizeof(*w));
	int64_t ms = overlap_ms / 2;

	if (ms < STEP_MIN_MS)
		ms = STEP_MIN_MS;
	if (ms > STEP_MAX_MS)
		ms = STEP_MAX_MS;
	*w = (struct vcenter_clock_watch){ .vim = vim,
		.cursor = cursor,
		.position = source_checkpoint_position(cp),
		.seen = source_checkpoint_seen(cp),
		.tolerance_us = ms * us_per_ms };
	return w;
}

void
vcenter_clock_watch_close(struct vcenter_clock_watch *w)
{
	free(w);
}

int64_t
vcenter_clock_watch_now(const struct vcenter_clock_watch *w)
{
	return source_clock_now(&w->clock, clock_monotonic_ms());
}

int64_t
vcenter_clock_watch_shown(const struct vcenter_clock_watch *w)
{
	return w->clock.shown_us;
}

static void
went_back(struct vcenter_clock_watch *w, int64_t earliest_us, int64_t now_us)
{
	char from[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE], newest[CLOCK_TEXT_SIZE] = "";

	if (w->position->any)
		clock_format(w->position->newest.created_us, newest);
	if (!position_set_back(w->position, earliest_us))
		return;
	vcenter_metrics_epoch();
	log_error(
		"the vCenter's clock was set back: reading again from the earliest time that a new event can have",
		L_STR("clock", clock_format(now_us, now)), L_STR("newest_stored", newest),
		L_STR("from", clock_format(earliest_us, from)));
	/* it would leave out what is dated before its beginning */
	vcenter_cursor_abandon(w->cursor);
}

int
vcenter_clock_watch_ask(struct vcenter_clock_watch *w, struct err *err)
{
	struct source_clock answer = { .asked_ms = clock_monotonic_ms() };
	int64_t earliest_us;

	if (vim_current_time(w->vim, &answer.shown_us, err) != 0)
		return -1;
	answer.told_ms = clock_monotonic_ms();
	vcenter_metrics_clock_skew((double)(answer.shown_us - clock_wall_us()) / 1e6);
	switch (source_clock_set(&w->clock, &answer, w->tolerance_us, &earliest_us)) {
	case SOURCE_CLOCK_BACK:
		went_back(w, earliest_us, answer.shown_us);
		break;
	case SOURCE_CLOCK_FORWARD:
		log_warn("the vCenter's clock was set forward");
		position_set_forward(w->position, answer.told_ms);
		break;
	case SOURCE_CLOCK_STEADY:
		break;
	}
	return 0;
}

int
vcenter_clock_watch_check(struct vcenter_clock_watch *w, struct err *err)
{
	return clock_monotonic_ms() - w->clock.told_ms < CHECK_EVERY_MS
		? 0
		: vcenter_clock_watch_ask(w, err);
}

int
vcenter_clock_watch_check_date(
	struct vcenter_clock_watch *w, int64_t created_us, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();
	enum position_date date = position_date(
		w->position, created_us, source_clock_now(&w->clock, now_ms));
	int64_t *asked_ms = &w->date_asked_ms[date];

	if (date == POSITION_IN_ORDER ||
		(*asked_ms != 0 && now_ms - *asked_ms < DATES_EVERY_MS))
		return 0;
	*asked_ms = now_ms;
	return vcenter_clock_watch_ask(w, err);
}

int
vcenter_clock_watch_check_page(
	struct vcenter_clock_watch *w, const struct normalize_page *page, struct err *err)
{
	int64_t now_us = vcenter_clock_watch_now(w);
	size_t i;

	for (i = 0; i < page->n; i++) {
		const struct normalize_event *e = &page->event[i];

		if (position_date(w->position, e->created_us, now_us) != POSITION_IN_ORDER &&
			!seen_has(w->seen, e->key, e->created_us) &&
			vcenter_clock_watch_check_date(w, e->created_us, err) != 0)
			return -1;
	}
	return 0;
}

void
vcenter_clock_watch_compare(struct vcenter_clock_watch *w, const struct stream_tail *tail)
{
	int64_t now_us = vcenter_clock_watch_now(w), wall_us = clock_wall_us();
	int64_t elapsed_us = wall_us > tail->stored_at_us ? wall_us - tail->stored_at_us : 0;
	char from[CLOCK_TEXT_SIZE];

	if (!tail->held || (tail->any && now_us - wall_us >= tail->ahead_us - w->tolerance_us))
		return;
	if (position_set_back(w->position, now_us - elapsed_us))
		log_warn(
			"the stream's newest events are dated later than the vCenter's clock allows: it was set back",
			L_STR("from", clock_format(now_us - elapsed_us, from)));
}
