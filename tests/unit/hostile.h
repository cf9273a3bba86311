// SPDX-License-Identifier: Apache-2.0
/*
 * Pages that no vCenter sends: each repeats what may cost a parser more than its bytes. The
 * list is for new entries: one more line, and the budgets of hostile_page_test.c apply to it.
 */
#ifndef VCOURIER_HOSTILE_H
#define VCOURIER_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/*
 * In each text @ is a number that was not there before, # a row of 10,000 letters and % a row
 * of letters as long as half of the page.
 */
struct hostile {
	const char *name;
	const char *open;          /* at the start of the hostile part */
	const char *nest, *unnest; /* 90 times around the units; NULL: nothing */
	const char *unit;          /* again and again until the page has its size */
	const char *close;         /* at the end */
	const char *envelope;      /* more attributes of the envelope; NULL: none */
	bool others;               /* events 1 and 3, before and behind it, must come out */
};

extern const struct hostile hostile_pages[];
extern const size_t hostile_n;

/* A page of at least size bytes: event 1, the hostile part, event 3. */
void hostile_build(const struct hostile *h, struct buf *page, size_t size);

#endif
