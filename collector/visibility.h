// SPDX-License-Identifier: Apache-2.0
/*
 * Up to which position the account could see every event. Without System.Read on the root
 * folder vCenter leaves events out of its replies and reports no error. Only
 * HasPrivilegeOnEntities reports it, and one answer proves little: a vCenter that has just
 * started, or that caches permissions, may give a wrong answer for a moment. So an answer
 * counts when it was given twice, `grace_ms` apart, and no other answer came between:
 *
 *     denied                   the visible position stays; events may be hidden from now on
 *     denied twice             the loss is reported
 *     granted, after a denial  nothing yet
 *     granted for grace_ms     the hidden events are read, from the visible position on
 *     granted for grace_ms     the visible position moves to where reading was at the first of
 *                              these answers
 *
 * Pure. Times ending in _ms are monotonic milliseconds.
 */
#ifndef VCOURIER_VISIBILITY_H
#define VCOURIER_VISIBILITY_H

#include <stdbool.h>
#include <stdint.h>

struct visible_position {
	bool any;   /* an event was stored; false: nothing was ever seen */
	int64_t us; /* createdTime, microseconds since 1970; INT64_MIN: the earliest */
};

struct visibility {
	int64_t grace_ms;
	bool known;                       /* `position` is set */
	struct visible_position position; /* events up to here were all visible */
	bool hidden;                      /* events after it may have been hidden */
	unsigned denials;                 /* answers in a row that denied a privilege */
	bool granted;                     /* the last answer granted all; the first such one: */
	int64_t granted_ms;               /* when it came */
	struct visible_position granted_at; /* where reading was then */
};

enum visibility_change {
	VISIBILITY_SAME,
	VISIBILITY_LOST,     /* the account cannot see all events: report it */
	VISIBILITY_REGAINED, /* it can again: read the hidden events */
};

/* grace_ms: option emptyGrace; 0: one answer is enough. */
void visibility_init(struct visibility *v, int64_t grace_ms);

/* An answer came; now: where reading is. Repeats VISIBILITY_REGAINED until visibility_reset. */
enum visibility_change visibility_denied(struct visibility *v, struct visible_position now);
enum visibility_change visibility_granted(
	struct visibility *v, struct visible_position now, int64_t now_ms);

/* The hidden events were read: everything up to `now` was visible. */
void visibility_reset(struct visibility *v, struct visible_position now);

/* The reading position went back: the visible position is no later. */
void visibility_lower(struct visibility *v, struct visible_position now);

/* When to ask again. interval_ms: while nothing changes. */
int64_t visibility_ask_again_ms(
	const struct visibility *v, int64_t now_ms, int64_t interval_ms);

#endif
