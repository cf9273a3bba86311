// SPDX-License-Identifier: Apache-2.0
/*
 * The live event history collector: the one that is polled for new events. It is a cursor at
 * the vCenter; after an error its position is not known, and another one has to begin at the
 * reading position.
 */
#ifndef VCOURIER_VCENTER_CURSOR_H
#define VCOURIER_VCENTER_CURSOR_H

#include "vim.h"

struct vcenter_cursor { /* all zero at first: not open */
	struct vim_collector live;
	struct vim_collector old; /* abandoned, to be destroyed */
	int64_t begin_us;         /* createdTime where `live` began; INT64_MIN: the earliest */
	/* the newest stored event has to come again in the first page */
	bool expect_overlap;
};

bool vcenter_cursor_is_open(const struct vcenter_cursor *c);

/* The next vcenter_cursor_open destroys it at the vCenter. */
void vcenter_cursor_abandon(struct vcenter_cursor *c);

/* The session is gone, and its collectors with it. */
void vcenter_cursor_forget(struct vcenter_cursor *c);

/* Creates a collector that begins at begin_us; destroys those before it. */
int vcenter_cursor_open(struct vcenter_cursor *c, struct vim *vim, int64_t begin_us,
	bool expect_overlap, struct err *err);

/* Once after each open, for the first page with events: whether it has to overlap. */
bool vcenter_cursor_take_expectation(struct vcenter_cursor *c);

#endif
