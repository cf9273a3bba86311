// SPDX-License-Identifier: Apache-2.0
/*
 * The event as the rules of an event bus match it: AWS puts an entry of PutEvents into an
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

/* Appends ev in its envelope. The `id` is "": AWS generates it when the event is sent. */
void aws_envelope_add(
	struct buf *out, const struct aws_envelope *envelope, const struct event *ev);

/* The time of ev in whole seconds, as AWS stores it; the current time when ev has none. */
int64_t aws_envelope_seconds(const struct event *ev);

#endif
