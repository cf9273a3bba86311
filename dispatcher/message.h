// SPDX-License-Identifier: Apache-2.0
/* Reads the CloudEvent in a message of the bus. */
#ifndef VCOURIER_MESSAGE_H
#define VCOURIER_MESSAGE_H

#include "bus.h"
#include "err.h"
#include "event.h"

/*
 * Reads msg, in structured or binary mode, into *ev. Both modes are those of the NATS binding;
 * a message is binary when it has the header ce-specversion and its Content-Type is not
 * application/cloudevents.
 * https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md
 *
 * ev was set up by event_init, and may hold another event, which is replaced. Parts of *ev
 * point into msg: it is valid only while msg is. -1: msg is not a valid CloudEvent, and *ev is
 * not to be used.
 */
int message_read_event(const struct bus_msg *msg, struct event *ev, struct err *err);

#endif
