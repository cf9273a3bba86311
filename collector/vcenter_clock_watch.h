// SPDX-License-Identifier: Apache-2.0
/*
 * Asks for the vCenter's clock (CurrentTime) and acts when it was set: only this clock can say
 * whether an event is dated ahead, or whether time itself went back.
 */
#ifndef VCOURIER_VCENTER_CLOCK_WATCH_H
#define VCOURIER_VCENTER_CLOCK_WATCH_H

#include "source_checkpoint.h"
#include "normalize.h"
#include "source_clock.h"
#include "vcenter_cursor.h"
#include "vim.h"

struct vcenter_clock_watch;

/*
 * overlap_ms: option `overlap`; a step that the overlap covers is ignored. When the clock was
 * set back, the position goes back and the cursor is abandoned. All are borrowed.
 */
struct vcenter_clock_watch *vcenter_clock_watch_open(struct vim *vim,
	struct source_checkpoint *cp, struct vcenter_cursor *cursor, int64_t overlap_ms);
void vcenter_clock_watch_close(struct vcenter_clock_watch *w); /* NULL is fine */

int vcenter_clock_watch_ask(struct vcenter_clock_watch *w, struct err *err);   /* now */
int vcenter_clock_watch_check(struct vcenter_clock_watch *w, struct err *err); /* every 20 s */

/*
 * Asks when an event's date is ahead of the clock, or far behind the position: the clock may
 * have been set. Of a page: for the events that are not stored.
 */
int vcenter_clock_watch_check_date(
	struct vcenter_clock_watch *w, int64_t created_us, struct err *err);
int vcenter_clock_watch_check_page(
	struct vcenter_clock_watch *w, const struct normalize_page *page, struct err *err);

/* At the start: whether the clock was set back since the stream's newest event was stored. */
void vcenter_clock_watch_compare(struct vcenter_clock_watch *w, const struct stream_tail *tail);

/* Microseconds since 1970; what the clock shows now, or a little less. */
int64_t vcenter_clock_watch_now(const struct vcenter_clock_watch *w);

/* What it showed when it was asked last. */
int64_t vcenter_clock_watch_shown(const struct vcenter_clock_watch *w);

#endif
