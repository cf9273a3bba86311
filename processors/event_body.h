// SPDX-License-Identifier: Apache-2.0
/*
 * An event as a request of the CloudEvents HTTP binding, in structured or binary mode.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
#ifndef VCOURIER_EVENT_BODY_H
#define VCOURIER_EVENT_BODY_H

#include "event.h"
#include "http.h"

/*
 * type: replaces the event's type; NULL: does not. If the result is the same, the request
 * borrows the event's JSON text.
 */
void event_body_structured(const struct event *ev, const char *type, struct http_request *req);

/* In the member order of the VMware Event Router (event_add_structured_as_router). */
void event_body_as_router(const struct event *ev, const char *type, struct http_request *req);

/*
 * The attributes as `ce-` headers, the data as the body. -1: the data is not valid for its
 * type.
 */
int event_body_binary(
	const struct event *ev, const char *type, struct http_request *req, struct err *err);

#endif
