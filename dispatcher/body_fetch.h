// SPDX-License-Identifier: Apache-2.0
/*
 * Reads the body of an evicted event (evict.h) from its stream again, by sequence, when the
 * event is due. A body that is not found is requested again, because any replica may reply,
 * also one that lags. The event has left the stream only when the stream's leader says so.
 * All functions are for the thread of the event loop; now_ms is monotonic.
 */
#ifndef VCOURIER_BODY_FETCH_H
#define VCOURIER_BODY_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "err.h"
#include "inbox.h"
#include "job.h"
#include "settle.h"
#include "sources.h"

struct body_fetch;

struct body_fetch_config {
	struct bus *bus;
	struct inbox *inbox;
	struct jobs *jobs;
	struct settle *settle; /* of events whose body is not found */
	struct sources *sources;
};

int body_fetch_open(
	struct body_fetch **fetch, const struct body_fetch_config *config, struct err *err);
void body_fetch_close(struct body_fetch *fetch); /* after the bus; NULL is allowed */

/*
 * Requests the body. Meanwhile the deliveries of the job are in no queue; when the body is
 * here they are the next of theirs. queue: the one whose turn it was.
 */
void body_fetch_request(
	struct body_fetch *fetch, struct job *job, struct queue *queue, int64_t now_ms);
/*
 * Requests again what was not found. An event whose request got no reply in 5 s is given back
 * to NATS.
 */
void body_fetch_turn(struct body_fetch *fetch, int64_t now_ms);

#endif
