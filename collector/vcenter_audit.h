// SPDX-License-Identifier: Apache-2.0
/*
 * The audit: reads the last minutes before the reading position again, for events that the
 * vCenter stored later than their date.
 */
#ifndef VCOURIER_VCENTER_AUDIT_H
#define VCOURIER_VCENTER_AUDIT_H

#include "vcenter_window.h"

struct vcenter_audit {
	const struct vcenter_window_reader *reader; /* borrowed */
	int64_t interval_ms;
	int64_t done_ms; /* monotonic: when the last one began */
};

void vcenter_audit_init(struct vcenter_audit *a, const struct vcenter_window_reader *reader,
	int64_t interval_ms);

enum source_result vcenter_audit_check(struct vcenter_audit *a, struct err *err); /* when due */
enum source_result vcenter_audit_run(struct vcenter_audit *a, struct err *err);   /* now */

#endif
