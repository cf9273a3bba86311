// SPDX-License-Identifier: Apache-2.0
/*
 * The event as the rules of an event bus see it: AWS puts what PutEvents brings into an
 * envelope, and patterns are matched against that.
 * https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
 */
#ifndef VCOURIER_AWS_ENVELOPE_H
#define VCOURIER_AWS_ENVELOPE_H

#include "buf.h"
#include "event.h"

struct aws_envelope {
	const char *account, *region;
	char **resources; /* NULL-terminated; NULL: none */
};

/* Appends the envelope around ev. Its `id` is "": AWS draws one when the event is sent. */
void aws_envelope_add(
	struct buf *out, const struct aws_envelope *envelope, const struct event *ev);

/* When ev happened, in whole seconds as AWS keeps it; now when it does not say. */
int64_t aws_envelope_seconds(const struct event *ev);

#endif
