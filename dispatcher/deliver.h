// SPDX-License-Identifier: Apache-2.0
/*
 * Ready deliveries become requests to the backend, and replies become outcomes, which go to
 * settle.h. The queues take turns, so that a busy target delays no other. Owns the requests in
 * flight and the circuit of the destination as a whole. All functions are for the thread of
 * the event loop; now_ms is monotonic.
 */
#ifndef VCOURIER_DELIVER_H
#define VCOURIER_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept.h"
#include "ack_flush.h"
#include "body_fetch.h"
#include "dispatcher_metrics.h"
#include "dispatcher_options.h"
#include "http.h"
#include "job.h"
#include "processor.h"
#include "settle.h"

enum {
	DELIVER_BATCH_MAX = 10, /* events in one request, of any processor */
	/* what a request that takes several events waits for the next one, when there is one */
	DELIVER_FILL_MS = 3,
};

struct deliver;

struct deliver_config {
	struct jobs *jobs;
	struct http *http; /* must live until its requests have ended */
	struct accept *accept;
	struct settle *settle;
	struct body_fetch *body_fetch;
	struct ack_flush *ack_flush;
	struct dispatcher_metrics *metrics;
	const struct dispatch_options *options;
	const struct processor *processor;
	void *self; /* the processor's */
};

struct deliver *deliver_open(const struct deliver_config *config);
void deliver_close(struct deliver *deliver); /* NULL is allowed */

/* Starts requests for ready deliveries while there are free slots. */
void deliver_turn(struct deliver *deliver, int64_t now_ms);
/* The stream has more events: a request that is not full waits DELIVER_FILL_MS for them. */
void deliver_expect_more(struct deliver *deliver, bool more);
bool deliver_filling(const struct deliver *deliver); /* a request waits for them */

size_t deliver_in_flight(const struct deliver *deliver); /* requests */
bool deliver_room(const struct deliver *deliver);        /* a slot for one more is free */
/* The most requests in flight to one target, as things are now. */
size_t deliver_target_limit(const struct deliver *deliver);
/* Nothing is sent but a probe now and then. */
bool deliver_paused(const struct deliver *deliver);
/* Sets the metrics of the backend. ready: what it needs was read. */
void deliver_report(const struct deliver *deliver, size_t paused_targets, bool ready);
struct destination_state *deliver_destination(struct deliver *deliver);
/* Forgets what is in flight. For a dispatcher that has stopped by a fault: no request is. */
void deliver_reset(struct deliver *deliver);

#endif
