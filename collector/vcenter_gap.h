// SPDX-License-Identifier: Apache-2.0
/*
 * Events that left the vCenter before they were read. The first page of a new live collector
 * overlaps with what is stored. When it does not, the stored events have left the vCenter: by
 * its retention, or because it has another database, whose keys start over. A record in the
 * stream then says which span may be missing.
 */
#ifndef VCOURIER_VCENTER_GAP_H
#define VCOURIER_VCENTER_GAP_H

#include "source_checkpoint.h"
#include "source.h"
#include "vcenter_cursor.h"
#include "vcenter_intake.h"

/* page: of the live collector, before its events are taken. */
enum source_result vcenter_gap_check(struct vcenter_cursor *cursor,
	struct source_checkpoint *cp, struct vcenter_intake *in,
	const struct normalize_page *page, struct err *err);

#endif
