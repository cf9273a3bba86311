// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of a delivery, of its job, and of the circuit of its queue. Every job ends here:
 * acknowledged when it was delivered, filtered, expired or stored as a dead letter, or given
 * back to NATS. All functions are for the thread of the event loop; now_ms is monotonic.
 */
#ifndef VCOURIER_SETTLE_H
#define VCOURIER_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "ack_flush.h"
#include "bus.h"
#include "dead_letters.h"
#include "dispatcher_metrics.h"
#include "dispatcher_options.h"
#include "job.h"
#include "outcome.h"
#include "processor.h"
#include "refresh.h"
#include "sink.h"

struct settle;

struct settle_config {
	struct bus *bus;
	struct jobs *jobs;
	struct dispatcher_metrics *metrics;
	const struct dispatch_options *options;
	struct refresher *refresher; /* a failed delivery may request a refresh */
	struct ack_flush *ack_flush;
	/* Called before the ack of a job is sent. */
	void (*on_ack)(void *ctx, const struct job *job);
	void *ctx;
};

struct settle *settle_open(const struct settle_config *config);
/* Where dead letters go; called once, after both were opened. sink may be NULL. */
void settle_use(struct settle *settle, struct dead_letters *letters, struct sink *sink);
void settle_close(struct settle *settle); /* NULL is allowed */

/* ---- deliveries */

/* A request had this outcome; probe: it was the probe of an open circuit. */
void settle_outcome(struct settle *settle, struct delivery *delivery,
	const struct outcome *outcome, bool probe);
/* No request was sent, or none will be sent again. */
void settle_unsent(struct settle *settle, struct delivery *delivery, enum ending ending);
/* Becomes a dead letter. reason: constant, the header Vcourier-Reason. */
void settle_dead(struct settle *settle, struct delivery *delivery, const char *reason);

/* Callbacks, settle is a struct settle: the dead letter is stored; the sink is done with it. */
void settle_stored(void *settle, struct delivery *delivery);
void settle_sunk(void *settle, struct delivery *delivery);

/* ---- jobs */

void settle_filtered(struct settle *settle, struct job *job); /* for none of the targets */
void settle_expired(struct settle *settle, struct job *job);  /* the stream has lost it */
/* Forgets the job. Nothing is sent to NATS, which delivers the event again after ackWait. */
void settle_drop(struct settle *settle, struct job *job);
/* Returns the job to NATS, which delivers it again at once, to this dispatcher or another. */
void settle_give_back(struct settle *settle, struct job *job);
/*
 * Another event has the job's sequence, and so its ack. With a body it is delivered and not
 * acknowledged; else it counts as expired.
 */
void settle_stale(struct settle *settle, struct job *job);
/* The stream was recreated, or cut short and grown again: all its jobs are stale. */
void settle_recreated(struct settle *settle, const struct origin *origin);

/* ---- all jobs */

/* Tells NATS that slow deliveries are in progress. */
void settle_progress(struct settle *settle, int64_t now_ms);
/*
 * Returns all jobs to NATS but those with a request or a dead letter under way. origin: only
 * those of this stream, or NULL. Returns how many of them are left.
 */
size_t settle_give_back_idle(struct settle *settle, const struct origin *origin);
/*
 * The dispatcher stops: from now on each ack waits for the server's confirmation, and no job
 * that waited for another becomes ready.
 */
void settle_stop(struct settle *settle);

#endif
