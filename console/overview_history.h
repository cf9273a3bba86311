// SPDX-License-Identifier: Apache-2.0
/* Numbers of the last 10 minutes, one series for each name. One thread at a time. */
#ifndef VCOURIER_OVERVIEW_HISTORY_H
#define VCOURIER_OVERVIEW_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum { HISTORY_POINTS = 61, HISTORY_STEP_MS = 10 * 1000, HISTORY_SERIES_MAX = 1024 };

struct history_series {
	char name[256];
	double point[HISTORY_POINTS]; /* -1: unknown */
};

struct overview_history {
	struct history_series *series;
	size_t n;
	int64_t step; /* the time of the newest points, in steps */
};

/* Moves on to the step of this time; points of steps in between are unknown. */
void overview_history_advance(struct overview_history *h, int64_t now_ms);
/* Sets the newest point. A series that is new when there are too many is left out. */
void overview_history_set(struct overview_history *h, const char *name, double value);
/* Appends {"step_ms":...,"series":{...}}, the oldest point first. */
void overview_history_write(const struct overview_history *h, struct buf *out);
void overview_history_free(struct overview_history *h);

#endif
