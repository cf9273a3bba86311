// SPDX-License-Identifier: Apache-2.0
/*
 * Which changes between two states get a log line; pure, time is an argument. A few do; when
 * more come in a short time they are counted, and a sum takes their place, so that a
 * destination which fails half of its requests does not write a line for each of them. The last
 * line always has the present state, FLAP_MS late at most.
 */
#ifndef VCOURIER_FLAP_H
#define VCOURIER_FLAP_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FLAP_LINES = 2,      /* lines of their own: a pause and its end, */
	FLAP_MS = 30 * 1000, /* within this; and one sum for the same time */
};

struct flap {             /* all zero at the start */
	unsigned lines;   /* since since_ms */
	unsigned changes; /* not in a line yet, */
	unsigned pauses;  /* and those of them that began a pause */
	int64_t since_ms;
};

/* The state changed, to a pause or from one: true when that gets a line of its own. */
bool flap_change(struct flap *f, bool pause, int64_t now_ms);

/* True when a sum is due: of so many pauses. INT64_MAX as now_ms: there is no later. */
bool flap_sum(struct flap *f, unsigned *pauses, int64_t now_ms);

#endif
