// SPDX-License-Identifier: Apache-2.0
/*
 * A request to the webhook as events for the stream: a CloudEvent in structured or binary mode,
 * a batch of them, or plain JSON that the path's `wrap` makes one. Pure.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
#ifndef VCOURIER_WEBHOOK_PARSE_H
#define VCOURIER_WEBHOOK_PARSE_H

#include "err.h"
#include "webhook_events.h"

/*
 * The status to answer with. 202: when all of *events is stored; 400: the same for a batch of
 * which some events were refused, else err says why; 413: too large; 415: no event, and not
 * made one. *events is the caller's to free in any case.
 */
unsigned webhook_parse(
	const struct webhook_input *input, struct webhook_events *events, struct err *err);

#endif
