// SPDX-License-Identifier: Apache-2.0
#include "vcenter_audit.h"

#include "clock.h"
#include "log.h"

void
vcenter_audit_init(struct vcenter_audit *a, const struct vcenter_window_reader *reader,
	int64_t interval_ms)
{
	*a = (struct vcenter_audit){
		.reader = reader, .interval_ms = interval_ms, .done_ms = clock_monotonic_ms()
	};
}

enum source_result
vcenter_audit_run(struct vcenter_audit *a, struct err *err)
{
	const struct position *p = source_checkpoint_position(a->reader->checkpoint);
	struct vcenter_window w = { .filter.end_us = p->newest.created_us };
	enum source_result result;

	a->done_ms = clock_monotonic_ms();
	if (!p->any)
		return SOURCE_OK;
	w.filter.begin_us = position_audit_begin(p, a->done_ms);
	result = vcenter_window_read(a->reader, &w, err);
	if (result == SOURCE_OK && w.fresh != 0)
		log_info("late events found by the audit", L_INT("events", (int64_t)w.fresh));
	return result;
}

enum source_result
vcenter_audit_check(struct vcenter_audit *a, struct err *err)
{
	return clock_monotonic_ms() - a->done_ms < a->interval_ms ? SOURCE_OK
								  : vcenter_audit_run(a, err);
}
