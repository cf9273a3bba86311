// SPDX-License-Identifier: Apache-2.0
/* The targets of an event, also for a backend that has one target and no route function. */
#include "processor.h"

int
processor_route(const struct processor *p, void *self, const struct event *ev,
	struct targets *targets, struct err *err)
{
	if (p->route != NULL)
		return p->route(self, ev, targets, err);
	targets_add(targets, "");
	return 0;
}
