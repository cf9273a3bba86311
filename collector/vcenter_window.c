// SPDX-License-Identifier: Apache-2.0
#include "vcenter_window.h"

#include "status.h"
#include "stop.h"

static enum source_result
read_pages(const struct vcenter_window_reader *r, struct vcenter_window *w,
	struct vim_collector *collector, struct err *err)
{
	const int32_t *after_key = w->by_key ? &w->after_key : NULL;
	enum source_result result = SOURCE_OK;
	struct normalize_page page;
	bool full;

	while (result == SOURCE_OK && !stop_requested()) {
		if (vim_read_next(r->vim, collector, &page, &full, err) != 0)
			return SOURCE_FAILED;
		w->calls++;
		status_beat();
		if (page.n + page.n_left_out == 0)
			break;
		w->read += page.n;
		if (page.n != 0)
			w->last_us = page.event[page.n - 1].created_us;
		result = vcenter_intake_page(r->intake, &page, after_key, &w->fresh, err);
	}
	return result;
}

static enum source_result
read_once(const struct vcenter_window_reader *r, struct vcenter_window *w,
	struct vim_collector *collector, struct err *err)
{
	enum source_result result;

	if (vim_create_collector(r->vim, &w->filter, collector, err) != 0)
		return SOURCE_FAILED;
	result = read_pages(r, w, collector, err);
	vim_destroy_collector(r->vim, collector);
	return result;
}

enum source_result
vcenter_window_read(
	const struct vcenter_window_reader *r, struct vcenter_window *w, struct err *err)
{
	struct vim_collector collector = { "" };
	enum source_result result;

	if (!w->by_key &&
		source_checkpoint_know_since(r->checkpoint, w->filter.begin_us,
			vcenter_clock_watch_now(r->clock), err) != 0)
		return STREAM_FAILED;
	do
		result = read_once(r, w, &collector, err);
	while (result == SOURCE_FAILED && err->code == ERR_LIMIT); /* its pages get smaller */
	return result;
}
