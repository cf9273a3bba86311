// SPDX-License-Identifier: Apache-2.0
/* What becomes of the events of a page: those that are not stored are sent to the publisher. */
#ifndef VCOURIER_HORIZON_INTAKE_H
#define VCOURIER_HORIZON_INTAKE_H

#include "horizon_clock.h"
#include "horizon_events.h"
#include "publisher.h"
#include "source.h"

/* The counts only grow. */
struct horizon_intake {
	struct publisher *publisher; /* these three are borrowed */
	struct source_checkpoint *checkpoint;
	const struct horizon_clock *clock;
	struct horizon_origin origin;
	struct horizon_message message;
	uint64_t read, suppressed, rejected;
};

void horizon_intake_init(struct horizon_intake *in, const struct horizon_origin *origin,
	const struct horizon_clock *clock, const struct source_context *context);
void horizon_intake_free(struct horizon_intake *in);

enum source_result horizon_intake_page(
	struct horizon_intake *in, const struct horizon_page *page, struct err *err);

#endif
