// SPDX-License-Identifier: Apache-2.0
/*
 * Something is missing from an answer: a function, a rule, all of them. Its events would be
 * filtered, which is final. So an absence counts only when it was seen twice, empty_grace_ms
 * apart.
 */
#ifndef VCOURIER_ABSENCE_H
#define VCOURIER_ABSENCE_H

#include "processor.h"

struct absence {
	bool seen;        /* false, the zero value: it is present */
	int64_t since_ms; /* when it was first missing */
};

/* It is missing from the current answer. True when the absence is confirmed. */
static inline bool
absence_confirmed(struct absence *a, const struct refresh_time *time)
{
	if (!a->seen)
		*a = (struct absence){ .seen = true, .since_ms = time->now_ms };
	return time->now_ms - a->since_ms >= time->empty_grace_ms;
}

/* Time until an answer can confirm the absence; call it after absence_confirmed. */
static inline int64_t
absence_left_ms(const struct absence *a, const struct refresh_time *time)
{
	return a->since_ms + time->empty_grace_ms - time->now_ms;
}

#endif
