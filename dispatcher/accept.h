// SPDX-License-Identifier: Apache-2.0
/*
 * A message becomes a job: is it an event, does it pass the filter, which targets does it go
 * to, and must it wait for an earlier event of its key?
 *
 * While the processor's list of targets is not settled, an event without a target is held: its
 * one delivery waits in a queue of its own. When the list changes (accept_wake_held, each turn)
 * these deliveries become ready, and accept_again routes each of them again.
 *
 * All functions are for the thread of the event loop.
 */
#ifndef VCOURIER_ACCEPT_H
#define VCOURIER_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "dispatcher_options.h"
#include "err.h"
#include "event_streams.h"
#include "jetstream.h"
#include "job.h"
#include "processor.h"
#include "settle.h"

struct accept;

struct accept_config {
	struct jobs *jobs;
	struct settle *settle; /* of events that go nowhere */
	const struct dispatch_options *options;
	const struct event_streams *streams; /* for their filters */
	const struct processor *processor;
	void *self; /* the processor's */
};

/* Fails (ERR_CONFIG) when a filter is not valid. */
int accept_open(struct accept **accept, const struct accept_config *config, struct err *err);
void accept_close(struct accept *accept); /* NULL is allowed */

/* A new message, which it owns. now_ms: monotonic. */
void accept_message(struct accept *accept, const struct origin *origin, struct bus_msg *msg,
	const struct jetstream_meta *meta, int64_t now_ms);

/* ---- held events */

void accept_wake_held(struct accept *accept);
bool accept_holds(const struct accept *accept, const struct delivery *delivery);
void accept_again(struct accept *accept, struct job *job); /* its body is in memory */
size_t accept_n_held(const struct accept *accept);         /* how many events are held */
/* One of the queues in struct jobs is that of held events, and not a target. */
bool accept_has_queue(const struct accept *accept);

/*
 * True when the processor still names this target for the event. Asked after a 404, when the
 * target may have been removed.
 */
bool accept_wants(struct accept *accept, const struct event *ev, const char *target);

#endif
