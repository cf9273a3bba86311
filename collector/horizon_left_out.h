// SPDX-License-Identifier: Apache-2.0
/*
 * Which events of Horizon were left out, because each alone is larger than a page may be. To
 * find one takes about 30 requests, and every pass would find it again while it is within the
 * overlap; so passes go round the millisecond of such an event. Pure.
 */
#ifndef VCOURIER_HORIZON_LEFT_OUT_H
#define VCOURIER_HORIZON_LEFT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HORIZON_LEFT_OUT_MAX = 64 }; /* milliseconds that are remembered: the newest ones */

struct horizon_left_out {
	struct horizon_left_out_time {
		int64_t ms;
		size_t n;         /* events that were left out */
		size_t met;       /* of them in this pass */
		int64_t end_page; /* the page of one event after the last; 0: not known */
	} at[HORIZON_LEFT_OUT_MAX];
	size_t n; /* that there ever were */
};

/* A pass begins. */
void horizon_left_out_begin(struct horizon_left_out *l);

/* An event of ms is left out. True: for the first time, so it counts. */
bool horizon_left_out_add(struct horizon_left_out *l, int64_t ms);

/*
 * All events of ms were read, and `page` of size 1 is empty. Does nothing if none was left out.
 */
void horizon_left_out_ended(struct horizon_left_out *l, int64_t ms, int64_t page);

/* Horizon has more events of ms than before: it is read again. */
void horizon_left_out_changed(struct horizon_left_out *l, int64_t ms);

/* The first millisecond in the span whose events were all read. NULL: none. */
const struct horizon_left_out_time *horizon_left_out_find(
	const struct horizon_left_out *l, int64_t from_ms, int64_t to_ms);

#endif
