// SPDX-License-Identifier: Apache-2.0
/*
 * Which span of time is asked for next, so that events come in ascending order although Horizon
 * returns the newest first. Pure.
 *
 * A span whose events fill a page is not taken: it is halved until all its events fit one page.
 * Only the events of one millisecond are read page by page. So the order of a reply does not
 * matter, nor do events that are added between two pages.
 *
 *     horizon_window_begin(&w, from, end)
 *     while (w.open) {
 *             ask for w.from_ms to w.to_ms, page w.page of w.size events: n came
 *             if (horizon_window_fits(&w, n, more))
 *                     take them; horizon_window_next(&w, n, more)
 *     }
 */
#ifndef VCOURIER_HORIZON_WINDOW_H
#define VCOURIER_HORIZON_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct horizon_window {
	bool open;              /* a pass is not at its end yet */
	int64_t from_ms, to_ms; /* both inclusive, as in Horizon's Between filter */
	int64_t end_ms;         /* of the pass */
	int64_t page;           /* from 1 on */
	int64_t size;           /* events of a page; lowered for a page that is too large */
	int64_t size_max;
	int64_t length_ms; /* of the last span that fitted, for the next pass; 0: none did */
	int64_t span_ms;   /* length of this span, before it was cut before a millisecond */
};

/* A pass over [from_ms, end_ms] begins; end_ms is not before from_ms. *w is all 0 at first. */
void horizon_window_begin(
	struct horizon_window *w, int64_t from_ms, int64_t end_ms, int64_t size_max);

/*
 * A page of n events came; more: the reply says that others follow. False: a smaller span is
 * asked for first, and these events come again. Call horizon_window_next when they were taken.
 */
bool horizon_window_fits(struct horizon_window *w, size_t n, bool more);

/* The page was taken. w->open is false when the pass is at its end. */
void horizon_window_next(struct horizon_window *w, size_t n, bool more);

/*
 * The reply has too many bytes: less is asked for. False: it was one event, which is passed
 * over.
 */
bool horizon_window_shrink(struct horizon_window *w);

/*
 * Before a request: a millisecond of this span is not asked for. The span ends before it, or
 * begins after it. False: it is the last one of the pass, and is asked for.
 */
bool horizon_window_go_round(struct horizon_window *w, int64_t ms);

/*
 * The span begins with a millisecond whose events are known: only whether it has a page `page`
 * of size 1 is asked. Call horizon_window_next when it is empty, horizon_window_read otherwise:
 * then the millisecond is read like any other.
 */
void horizon_window_probe(struct horizon_window *w, int64_t page);
void horizon_window_read(struct horizon_window *w);

#endif
