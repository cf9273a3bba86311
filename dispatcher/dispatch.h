// SPDX-License-Identifier: Apache-2.0
/*
 * The dispatcher: one event loop between the bus and one backend. dispatch.c runs it.
 *
 *     parts.c          opens and closes the parts below
 *     watcher.c        the watch thread: checks NATS and the streams, where calls block
 *     stream_watch.c   one stream and its consumer: what the watch thread publishes of it
 *     stream_check.c   creates, checks and repairs both
 *     checkpoint.c     how far a stream is settled, stored on the bus; is it the same stream?
 *     expire.c         counts events that left a stream before a dispatcher received them
 *     search.c         whether an event that is held here has left its stream
 *
 *     inbox.c          messages on their way from the threads of the bus to the loop
 *     sources.c        the streams that are read
 *     puller.c         pulls the messages of one: pull_credit.c, recently_acked.c
 *     accept.c         a message becomes a job: filter.c, order.c, message.c, the route
 *     job.c            an event, with a delivery (delivery.c) for each target; queue.c
 *     deliver.c        ready deliveries become requests: deliver_fill.c
 *     settle.c         an outcome ends or delays a delivery (outcome.c, refusals.c, circuit.c)
 *     dead_letters.c   stores dead letters: dead_letter.c, copied_headers.c
 *     sink.c           sends each dead letter to deadLetterSink, too
 *     ack_flush.c      which acks have reached NATS
 *     backlog.c        events that only wait for a failing or slow target
 *     evict.c          drops the bodies of waiting events from memory
 *     body_fetch.c     reads them again from the stream
 *     refresh.c        what the processor reads again at an interval
 *
 *     watchdog.c       finds a dispatcher that has stopped although it has work: stall.c
 *     pause.c          log lines of targets that pause and resume: flap.c
 *     report.c         answers status requests on the bus
 *     dispatcher_metrics.c, dispatcher_options.c
 */
#ifndef VCOURIER_DISPATCH_H
#define VCOURIER_DISPATCH_H

#include <stddef.h>

#include "bus.h"
#include "dispatcher_options.h"
#include "err.h"
#include "jetstream.h"
#include "processor.h"

struct dispatcher_config {
	const char *name;   /* of the eventProcessor; its token is the durable's name */
	const char *prefix; /* of subjects: "vc" */
	const struct stream_config *streams; /* one per vCenter */
	size_t n_streams;
	const struct stream_config *dead_stream, *replay_stream;
	const struct dispatch_options *options;
	const struct processor *processor;
	const void *processor_config;
};

/*
 * Runs until a stop is requested, and until then each event is settled or given back to NATS.
 * Fails only when it cannot start; an outage of NATS or of the backend is no failure. Closes
 * the bus.
 */
int dispatcher_run(const struct dispatcher_config *config, struct bus *bus, struct err *err);

#endif
