// SPDX-License-Identifier: Apache-2.0
/*
 * Whether reading has stalled: the vCenter's latest event (latestEvent) is not stored although
 * the live collector is at its end. Then looks for the event where it can be: among late ones,
 * wrong dates, a restored database, behind events that the account cannot see.
 */
#ifndef VCOURIER_VCENTER_STALL_H
#define VCOURIER_VCENTER_STALL_H

#include "vcenter_audit.h"
#include "vcenter_catalogue.h"
#include "vcenter_clock_watch.h"
#include "vcenter_cursor.h"
#include "vcenter_newest.h"
#include "vcenter_window.h"

struct vcenter_stall;

struct vcenter_stall_options {
	const struct vcenter_window_reader *reader;
	struct publisher *publisher;
	struct vcenter_cursor *cursor; /* abandoned when it may be stuck */
	struct vcenter_clock_watch *clock;
	struct vcenter_newest *newest;
	struct vcenter_audit *audit;
	const struct vcenter_catalogue *catalogue;
};

/* The options are copied; what they point to is borrowed. */
struct vcenter_stall *vcenter_stall_open(const struct vcenter_stall_options *options);
void vcenter_stall_close(struct vcenter_stall *s); /* NULL is fine */

void vcenter_stall_progress(struct vcenter_stall *s); /* new events came */

/* The account may see more than before: an event that could not be found may be visible now. */
void vcenter_stall_forget_hidden(struct vcenter_stall *s);

/* A new live collector reads, and nothing is known of it: checks are frequent again. */
void vcenter_stall_distrust(struct vcenter_stall *s);

/*
 * Asks for the latest event when no new ones came for 1 s: 1 s after the last time, and half as
 * often after each answer that is stored, down to once in 20 s. An answer that is not stored
 * makes it frequent again. limited: the account lacks privileges, so it asks once a minute.
 */
enum source_result vcenter_stall_check(struct vcenter_stall *s, bool limited, struct err *err);

/* Every 10 s: asks only to measure the lag. For when vcenter_stall_check does not ask. */
void vcenter_stall_measure_lag(struct vcenter_stall *s);

#endif
