// SPDX-License-Identifier: Apache-2.0
/* Shared by deliver.c and deliver_fill.c. */
#ifndef VCOURIER_DELIVER_INTERNAL_H
#define VCOURIER_DELIVER_INTERNAL_H

#include "deliver.h"

struct deliver {
	struct deliver_config config;
	struct event event[DELIVER_BATCH_MAX]; /* of the request that is being made */
	struct destination_state destination;
	size_t in_flight;
	bool more, filling;
};

/* A request and the deliveries in it. */
struct request {
	struct deliver *deliver;
	struct queue *queue;
	bool probe, destination_probe;
	size_t n;
	struct delivery *delivery[DELIVER_BATCH_MAX];
};

/*
 * Moves deliveries from the queue into the request, as far as they fit; their events are in
 * deliver->event. A delivery that cannot be sent is settled, or its body is requested. None may
 * be left.
 */
void deliver_fill(struct request *request, int64_t now_ms);

#endif
