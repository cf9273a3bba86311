// SPDX-License-Identifier: Apache-2.0
/*
 * The distributed trace that an event belongs to: its extensions traceparent and tracestate.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md
 */
#ifndef VCOURIER_TRACE_H
#define VCOURIER_TRACE_H

#include "event.h"
#include "http.h"

/*
 * The event's traceparent if it is valid (https://www.w3.org/TR/trace-context/), else "": a
 * receiver would begin another trace. The first 55 characters are those of version 00:
 * 00-<trace id, 32 hex>-<parent id, 16 hex>-<flags, 2 hex>.
 */
const char *trace_parent(const struct event *ev);

/*
 * The headers traceparent and tracestate of a request that carries this event. Attributes of
 * the event alone are not seen by the tracing of HTTP servers and proxies.
 */
void trace_add_headers(const struct event *ev, struct http_request *req);

#endif
