// SPDX-License-Identifier: Apache-2.0
/*
 * The vCenter's newest events by key. The live collector and the audit read by date, so neither
 * finds an event that a host with a wrong clock dates hours or years back, or that the vCenter
 * stores later than the audit looks. The newest keys show it, also while other events keep
 * coming. It is then read at its own date, where its neighbours are events of long ago: only
 * events with one of the newest keys are taken there, because `seen` knows which of them are
 * stored, whatever their date.
 */
#ifndef VCOURIER_VCENTER_NEWEST_H
#define VCOURIER_VCENTER_NEWEST_H

#include "vcenter_cursor.h"
#include "vcenter_window.h"

struct vcenter_newest;

/* All borrowed. */
struct vcenter_newest *vcenter_newest_open(
	const struct vcenter_window_reader *reader, const struct vcenter_cursor *cursor);
void vcenter_newest_close(struct vcenter_newest *n); /* NULL is fine */

/* Up to this key no event is missing: the stream says so. */
void vcenter_newest_set_key(struct vcenter_newest *n, int64_t key);

void vcenter_newest_set_due(
	struct vcenter_newest *n); /* at the next check, whatever the time */

/* Looks when it is due: 10 s after the last time, 0.5 s when many events came. */
enum source_result vcenter_newest_check(struct vcenter_newest *n, struct err *err);

/* Looks now; *fresh: events found. */
enum source_result vcenter_newest_read(
	struct vcenter_newest *n, size_t *fresh, struct err *err);

#endif
