// SPDX-License-Identifier: Apache-2.0
/*
 * The dispatcher: one event loop between the bus and one backend.
 *
 *     wanted_streams.h   the streams to read, as the configuration names them now
 *     event_streams.h    what is known of each
 *     sources.h          the streams that are read, each with a puller and a stream_watch
 *     puller.h           pulls messages: pull_credit.h, recently_acked.h
 *     inbox.h            messages on their way from the threads of the bus to the loop
 *     pipeline.h         the way of an event from its message to its end:
 *     window.h           how many events to hold and to request
 *     message.h          reads the CloudEvent in a message
 *     accept.h           a message becomes a job: filter, order, route
 *     job.h              what a job, a delivery and a queue are
 *     deliver.h          ready deliveries become requests, replies become outcomes
 *     outcome.h          what an outcome means for a delivery
 *     settle.h           carries that out for delivery, job and circuit; acks
 *     pause.h            log lines about targets that pause and resume
 *     ack_flush.h        which acks have reached the server; until then they take slots
 *     dead_letters.h     dead letters, stored before the original is acknowledged
 *     dead_letter.h      the text and headers of one
 *     sink.h             sends each dead letter to deadLetterSink, too
 *     backlog.h          events that only wait for a failing or slow target
 *     evict.h            drops the bodies of waiting events from memory
 *     body_fetch.h       fetches them again
 *     refresh.h          what the processor must read again now and then
 *     saved_list.h       what it has read of targets, kept on the bus over a restart
 *     watchdog.h         has the dispatcher stopped although it has work? stall.h
 *     report.h           replies to status requests on the bus
 *     dispatcher_metrics.h  the metrics
 *
 * On the watch thread, where calls wait for the server:
 *
 *     watcher.h          checks NATS and the streams
 *     discovery.h        finds streams that no eventProvider of the file names
 *     stream_watch.h     the state of one stream, for the loop
 *     stream_check.h     creates, checks and repairs a stream and its consumer
 *     checkpoint.h       up to where a stream is settled; is it still the same stream?
 *     bucket.h           the keys of dispatchers in the bucket of the checkpoints
 *     expire.h           counts events that left the stream before a dispatcher had them
 *     search.h           whether an event that is held has left its stream
 *
 * Calls run downwards; a part reports upwards by a callback. dispatch.c opens all of them.
 */
#ifndef VCOURIER_DISPATCH_H
#define VCOURIER_DISPATCH_H

#include <stddef.h>

#include "bus.h"
#include "dispatcher_options.h"
#include "err.h"
#include "jetstream.h"
#include "processor.h"
#include "wanted_streams.h"

struct dispatcher_config {
	const char *name;   /* of the eventProcessor; its token is the durable's name */
	const char *prefix; /* of subjects: "vc" */
	struct wanted_streams *streams; /* to read; they may change while it runs */
	const struct stream_config *dead_stream, *replay_stream;
	const struct dispatch_options *options;
	const struct processor *processor;
	const void *processor_config;
};

/*
 * Runs until a stop is requested and all events are settled or given back. Fails only when it
 * cannot start; NATS or the backend being away is no failure. Closes the bus.
 */
int dispatcher_run(const struct dispatcher_config *config, struct bus *bus, struct err *err);

#endif
