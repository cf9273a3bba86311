// SPDX-License-Identifier: Apache-2.0
/*
 * Counts the deliveries whose acks have reached NATS. An ack is a publish without a reply, and
 * an event whose ack is lost when the process is killed is delivered again. So a delivery keeps
 * its slot of `concurrency` until a PING that was sent after its ack is answered: no kill
 * repeats more deliveries than there are slots. A thread waits for the answers; the functions
 * are the loop's.
 */
#ifndef VCOURIER_ACK_FLUSH_H
#define VCOURIER_ACK_FLUSH_H

#include <stddef.h>

#include "bus.h"
#include "err.h"
#include "http.h"

struct ack_flush;

struct ack_flush_config {
	struct bus *bus;
	struct http *http;  /* its loop is woken when an answer has come */
	size_t concurrency; /* slots */
	size_t batch_max;   /* deliveries of one slot */
};

int ack_flush_open(
	struct ack_flush **flush, const struct ack_flush_config *config, struct err *err);
/* NULL is fine; bus and http must live until then */
void ack_flush_close(struct ack_flush *flush);

/* The acks of so many deliveries were just sent. */
void ack_flush_add(struct ack_flush *flush, size_t deliveries);
/* Slots that are taken by deliveries whose acks may still be lost. */
size_t ack_flush_slots(const struct ack_flush *flush);
/*
 * With no request in flight and no free slot the loop can do nothing but wait for NATS. It
 * does so here, which saves the way through the thread; for 5 ms at most, and not while NATS
 * is slower than that.
 */
void ack_flush_wait(struct ack_flush *flush, size_t in_flight);
/* Asks NATS when those are many. in_flight: slots that requests take. */
void ack_flush_turn(struct ack_flush *flush, size_t in_flight);

#endif
