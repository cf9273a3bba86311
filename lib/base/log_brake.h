// SPDX-License-Identifier: Apache-2.0
/*
 * Log lines that input can cause in any number: of each kind one is written at once, then one a
 * minute, which says how many there were. Pure; time is an argument.
 */
#ifndef VCOURIER_LOG_BRAKE_H
#define VCOURIER_LOG_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_BRAKE_MS = 60 * 1000 };

struct log_brake { /* of one kind; all zero at the start */
	int64_t written_ms;
	int64_t n; /* that no line tells yet */
	bool any;
};

/* True: write the line; *n of this kind, with this one, came since the last line. */
bool log_brake(struct log_brake *brake, int64_t now_ms, int64_t *n);

#endif
