// SPDX-License-Identifier: Apache-2.0
#include "horizon_window.h"

enum { GROW = 2, GROW_EMPTY = 16 }; /* how much longer the next span is */

static bool
is_full(const struct horizon_window *w, size_t n, bool more)
{
	return more || n >= (size_t)w->size;
}

static void
set_end(struct horizon_window *w, int64_t length_ms)
{
	w->to_ms = length_ms <= w->end_ms - w->from_ms ? w->from_ms + length_ms - 1 : w->end_ms;
	w->span_ms = w->to_ms - w->from_ms + 1;
}

void
horizon_window_begin(
	struct horizon_window *w, int64_t from_ms, int64_t end_ms, int64_t size_max)
{
	*w = (struct horizon_window){ .open = true,
		.from_ms = from_ms,
		.end_ms = end_ms,
		.page = 1,
		.size = size_max,
		.size_max = size_max,
		.length_ms = w->length_ms };
	set_end(w, w->length_ms != 0 ? w->length_ms : end_ms - from_ms + 1);
}

static bool
halve(struct horizon_window *w)
{
	if (w->to_ms == w->from_ms)
		return false;
	w->to_ms = w->from_ms + (w->to_ms - w->from_ms) / 2;
	w->span_ms = w->to_ms - w->from_ms + 1;
	return true;
}

bool
horizon_window_fits(struct horizon_window *w, size_t n, bool more)
{
	return !is_full(w, n, more) || !halve(w);
}

/* The next span is longer when this one had few events. */
static void
advance(struct horizon_window *w, size_t n)
{
	int64_t length = w->span_ms;

	if (n < (size_t)w->size_max / 2)
		length *= n == 0 ? GROW_EMPTY : GROW;
	if (n != 0)
		w->length_ms = length;
	w->page = 1;
	w->size = w->size_max;
	w->open = w->to_ms < w->end_ms;
	if (!w->open)
		return;
	w->from_ms = w->to_ms + 1;
	set_end(w, length);
}

void
horizon_window_next(struct horizon_window *w, size_t n, bool more)
{
	if (n != 0 && is_full(w, n, more))
		w->page++;
	else
		advance(w, n);
}

bool
horizon_window_shrink(struct horizon_window *w)
{
	if (halve(w))
		return true;
	if (w->size > 1) {
		/* pages before this one were taken; they come again and are known */
		w->size /= 2;
		w->page = 1;
		return true;
	}
	w->page++;
	return false;
}

bool
horizon_window_go_round(struct horizon_window *w, int64_t ms)
{
	if (ms == w->end_ms)
		return false;
	if (ms > w->from_ms) {
		w->to_ms = ms - 1;
		return true;
	}
	w->from_ms = ms + 1;
	if (w->to_ms == ms)
		set_end(w, w->span_ms);
	return true;
}

void
horizon_window_probe(struct horizon_window *w, int64_t page)
{
	w->to_ms = w->from_ms;
	w->size = 1;
	w->page = page;
}

void
horizon_window_read(struct horizon_window *w)
{
	w->size = w->size_max;
	w->page = 1;
}
