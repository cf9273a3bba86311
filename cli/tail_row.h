// SPDX-License-Identifier: Apache-2.0
/* An event as one line for people, as wide as the terminal. */
#ifndef VCOURIER_TAIL_ROW_H
#define VCOURIER_TAIL_ROW_H

#include <stdbool.h>
#include <stdio.h>

#include "event.h"

struct tail_format {
	int width;        /* columns of the terminal; 0: no terminal, nothing is cut */
	int source_width; /* of the longest name */
	bool colours;
};

void tail_row_titles(const struct tail_format *format, FILE *out);

/*
 * Time (UTC), source, severity, event, entity and user; the message too, where there is room.
 * In fewer than 60 columns an event takes two lines.
 */
void tail_row(const struct tail_format *format, const char *source, const struct event *ev,
	FILE *out);

#endif
