// SPDX-License-Identifier: Apache-2.0
/*
 * deadLetterSink: a destination that gets each dead letter, too, as Knative's DeliverySpec has
 * it: the event, with the failure in the extensions knativeerrordest, knativeerrorcode and
 * knativeerrordata. The dead letter is in its stream before it is sent here. So a sink that
 * does not accept it in a few tries loses nothing.
 * https://knative.dev/docs/eventing/event-delivery/
 * All functions are for the thread of the event loop.
 */
#ifndef VCOURIER_SINK_H
#define VCOURIER_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher_options.h"
#include "err.h"
#include "http.h"
#include "job.h"
#include "refresh.h"

struct sink;

struct sink_config {
	const struct dispatch_options *options; /* of them the sink's address */
	struct http *http;                      /* must live until its requests have ended */
	struct refresher *refresher;            /* reads the sink's address again */
	/* The sink has accepted the dead letter of this delivery, or did not in a few tries. */
	delivery_fn *on_done;
	void *ctx;
};

/* *sink is NULL when no sink is configured. */
int sink_open(struct sink **sink, const struct sink_config *config, struct err *err);
void sink_close(struct sink *sink); /* NULL is allowed */

/*
 * Sends the dead letter of a delivery, which must live until on_done is called. False: nothing
 * is sent and on_done is not called, because there is no sink or the message is not a valid
 * event.
 */
bool sink_deliver(struct sink *sink, struct delivery *delivery);
bool sink_busy(const struct sink *sink); /* dead letters are on their way; NULL: false */
void sink_turn(struct sink *sink, int64_t now_ms); /* now_ms: monotonic; NULL is allowed */

#endif
