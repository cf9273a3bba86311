// SPDX-License-Identifier: Apache-2.0
#include "vcenter_live.h"

#include "log.h"
#include "vcenter_gap.h"
#include "vcenter_metrics.h"

static void
take_latest(void *ctx, const struct vim_latest *event)
{
	*(struct vim_latest *)ctx = *event;
}

/*
 * The first time that reading begins: events that the vCenter has now and that are dated before
 * begin_us are not asked for.
 */
static int
set_first(const struct vcenter_live *l, int64_t begin_us, struct err *err)
{
	struct vim_latest latest;

	if (begin_us == INT64_MIN)
		return 0;
	if (vim_latest_event(l->vim, &latest, err) != 0)
		return -1;
	/* not told, or not permitted: a page of one event has it, too */
	if (!latest.any && vim_latest_page(l->vim, 1, take_latest, &latest, err) != 0)
		return -1;
	if (latest.any) /* the next key; it may wrap */
		position_set_first(source_checkpoint_position(l->checkpoint),
			&(struct position_event){ .created_us = begin_us,
				.key = (int32_t)((uint32_t)latest.key + 1) });
	return 0;
}

enum source_result
vcenter_live_open(const struct vcenter_live *l, struct err *err)
{
	struct position *p = source_checkpoint_position(l->checkpoint);
	int64_t begin_us;

	if (vcenter_clock_watch_ask(l->clock, err) != 0)
		return SOURCE_FAILED;
	begin_us = position_begin(
		p, source_start_us(l->start, vcenter_clock_watch_shown(l->clock)));
	if (!p->any && p->begun_us == INT64_MAX && set_first(l, begin_us, err) != 0)
		return SOURCE_FAILED;
	if (source_checkpoint_know_since(
		    l->checkpoint, begin_us, vcenter_clock_watch_now(l->clock), err) != 0)
		return STREAM_FAILED;
	if (vcenter_cursor_open(l->cursor, l->vim, begin_us, p->any && p->is_event, err) != 0)
		return SOURCE_FAILED;
	position_begun(p, begin_us);
	return SOURCE_OK;
}

/* A page was taken: moves the position. */
static void
end_page(const struct vcenter_live *l, const struct normalize_page *page, bool full)
{
	struct position_event sample[POSITION_SAMPLES];
	size_t n = full && page->n != 0 ? POSITION_SAMPLES : 0;

	for (size_t i = 0; i < n; i++) {
		const struct normalize_event *e = &page->event[i * page->n / POSITION_SAMPLES];

		sample[i] = (struct position_event){ .created_us = e->created_us,
			.key = e->key };
	}
	position_end_page(source_checkpoint_position(l->checkpoint), sample, n,
		vcenter_clock_watch_now(l->clock));
	if (!full)
		source_checkpoint_caught_up(l->checkpoint);
	source_checkpoint_prune(l->checkpoint);
}

enum source_result
vcenter_live_poll(const struct vcenter_live *l, bool *full, size_t *fresh, struct err *err)
{
	bool whole_pages = l->cursor->live.page_size == 0;
	struct normalize_page page;
	enum source_result result;
	int failed = vim_read_next(l->vim, &l->cursor->live, &page, full, err);

	vcenter_metrics_poll(failed == 0);
	if (failed && err->code == ERR_LIMIT && whole_pages)
		log_warn("vCenter: a page of events cannot be read: requesting smaller pages",
			L_ERR(err));
	if (failed || vcenter_clock_watch_check_page(l->clock, &page, err) != 0)
		return SOURCE_FAILED;
	result = vcenter_gap_check(l->cursor, l->checkpoint, l->intake, &page, err);
	if (result != SOURCE_OK)
		return result;
	position_begin_page(source_checkpoint_position(l->checkpoint), *full);
	result = vcenter_intake_page(l->intake, &page, NULL, fresh, err);
	if (result == SOURCE_OK)
		end_page(l, &page, *full);
	return result;
}
