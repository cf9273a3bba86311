// SPDX-License-Identifier: Apache-2.0
/* Whether a rule of the bus matches an event. */
#include "eventbridge.h"

static bool
is_wanted(struct eventbridge *self, const struct event *ev)
{
	if (!self->loaded || self->choice == RULES_NONE)
		return true;
	buf_clear(&self->text);
	aws_envelope_add(&self->text, &self->envelope, ev);
	return eventbridge_ruleset_wants(&self->rules, &self->text);
}

uint64_t
eventbridge_route_version(void *p)
{
	const struct eventbridge *self = p;

	return self->version;
}

int
eventbridge_route(void *p, const struct event *ev, struct targets *targets, struct err *err)
{
	struct eventbridge *self = p;

	if (!is_wanted(self, ev))
		return self->settled ? 0 : ROUTE_UNSETTLED;
	if (eventbridge_entry_check(ev, err) != 0)
		return -1;
	targets_add(targets, "");
	return 0;
}
