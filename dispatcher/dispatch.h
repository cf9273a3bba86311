// SPDX-License-Identifier: Apache-2.0
/*
 * The dispatcher: one event loop between the bus and one backend. dispatch.c runs it.
 *
 *     inbox.c      messages on their way from the threads of the bus to the loop
 *     sources.c    the streams that are read
 *     puller.c     pulls the messages of one: pull_credit.c, recently_acked.c
 *     message.c    reads the CloudEvent in a message
 *     accept.c     a message becomes a job: filter, order, route
 *     send.c       ready deliveries become requests, replies become outcomes
 *     outcome.c    what an outcome means for a delivery
 *     settle.c     carries that out for delivery, job and circuit; acks
 *     pause.c      log lines about targets that pause and go on
 *     ack_flush.c  which acks have reached the server; until then a delivery keeps its slot
 *     dead_letters.c       dead letters, stored before the original is acknowledged
 *     dead_letter.c  the text and headers of one
 *     sink.c       sends each dead letter to deadLetterSink, too
 *     body_fetch.c       drops the bodies of waiting events from memory and fetches them again
 *     refresh.c    what the processor must read again now and then
 *     watcher.c    the watch thread: checks NATS and the streams, where calls wait for answers
 *     stream_watch.c  one stream with its consumer: what the watch thread tells the loop of it
 *     stream_check.c  creates, checks and repairs both
 *     checkpoint.c    up to where a stream is settled, kept on the bus; is it the same stream?
 *     expire.c     counts events that left the stream before a dispatcher had them
 *     search.c     whether an event that is held here has left its stream
 *     backlog.c    events that only wait for a failing or slow target
 *     stall.c      decides whether the dispatcher has stopped although it has work
 *     watchdog.c   looks for that, reports it, and starts over
 *     dispatcher_metrics.c      the metrics
 *     report.c     answers status requests on the bus
 */
#ifndef VCOURIER_DISPATCH_H
#define VCOURIER_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ack_flush.h"
#include "dead_letters.h"
#include "dispatcher_metrics.h"
#include "bus.h"
#include "filter.h"
#include "http.h"
#include "inbox.h"
#include "jetstream.h"
#include "job.h"
#include "dispatcher_options.h"
#include "outcome.h"
#include "processor.h"
#include "refresh.h"
#include "sink.h"
#include "sources.h"
#include "stall.h"
#include "watcher.h"

enum {
	BATCH_MAX = 10,
	SHUTDOWN_MS = 20 * 1000,
	/* what a request that takes several events waits for the next one, when there is one */
	FILL_MS = 3,
};

#define REPORT_SUBJECT "vcourier.status." /* then the dispatcher's token */

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

struct dispatcher {
	const struct dispatcher_config *config;
	const struct dispatch_options *options;
	const struct processor *processor;
	void *self; /* the processor's */
	struct bus *bus;
	struct http *http;
	struct dispatcher_metrics metrics;
	char durable[96];
	bool fans_out; /* targets have names */
	bool more;     /* the stream has events behind the last one that came */
	bool filling;  /* a request waits a moment for them */
	bool stopping;
	int64_t ticked_ms;
	size_t largest; /* message seen */

	struct sources *sources;
	struct inbox *inbox;
	struct jobs jobs;
	size_t in_flight;
	struct ack_flush *ack_flush;
	int64_t counted_ms; /* when backlog.c last counted the idle jobs */
	bool buffer_full;   /* reported: those that wait hold up the others */
	/* of the destination as a whole: fed by whether it answers at all */
	struct circuit destination;
	int64_t destination_changed_ms; /* when that changed */
	/* accept.c: the event that came; send.c: those of the request being made */
	struct event scratch[BATCH_MAX];
	struct event logged; /* settle.c alone: for log lines */
	struct targets targets;
	/* accept.c: where events without a target wait; NULL: there were none */
	struct queue *held;
	uint64_t held_version; /* the route_version that they waited with */
	struct filter filter;

	struct dead_letters *dead_letters;
	char get_inbox[192];
	struct inbox_port get_port, report_port;

	struct sink *sink; /* NULL: none is configured */
	struct refresher *refresher;

	struct stall stall;  /* watchdog.c */
	int64_t watchdog_ms; /* its last look */

	struct watcher *watcher;
};

/*
 * Runs until a stop is requested and everything in hand is settled or given back. Fails only
 * when it cannot begin; NATS or the backend being away is no failure. Closes the bus.
 */
int dispatcher_run(const struct dispatcher_config *config, struct bus *bus, struct err *err);

/* accept.c */
void accept_message(struct dispatcher *d, const struct origin *origin, struct bus_msg *msg,
	const struct jetstream_meta *meta, int64_t now_ms);

/*
 * While the processor's list of targets is not settled an event that none wants is held: its
 * one delivery waits in a queue of its own. When the list changes (accept_wake_held, each turn)
 * those deliveries become ready, and send.c has each routed again.
 */
void accept_wake_held(struct dispatcher *d);
bool accept_holds(const struct dispatcher *d, const struct delivery *delivery);
void accept_again(struct dispatcher *d, struct job *job); /* its body is here */

/* backlog.c */
/* jobs in hand, less those that only wait */
size_t backlog_count(struct dispatcher *d, int64_t now_ms);
/* gives up what has waited too long */
void backlog_turn(struct dispatcher *d, int64_t now_ms);

/* send.c */
/* requests in flight to one target, as things are now */
size_t send_limit(const struct dispatcher *d);
bool send_room(const struct dispatcher *d); /* there is a slot for one more request */
size_t send_ready(struct dispatcher *d, int64_t now_ms);

/* settle.c */
void settle_outcome(struct dispatcher *d, struct delivery *delivery,
	const struct outcome *outcome, bool probe);
/* it was not, or not again */
void settle_unsent(struct dispatcher *d, struct delivery *delivery, enum ending ending);
/* a dead letter, and then done */
void settle_dead(struct dispatcher *d, struct delivery *delivery, const char *reason);
/* a delivery_fn: its dead letter is in the stream */
void settle_stored(void *dispatcher, struct delivery *delivery);
void settle_sunk(void *dispatcher,
	struct delivery *delivery); /* a delivery_fn: the sink is done with it */
void settle_filtered(struct dispatcher *d, struct job *job);
void settle_expired(struct dispatcher *d, struct job *job); /* the stream has it no more */
void settle_stale(
	struct dispatcher *d, const struct origin *origin); /* its stream is no more */
void settle_drop(struct dispatcher *d, struct job *job);    /* without a word to the server */
void settle_progress(struct dispatcher *d, int64_t now_ms);
void settle_give_back(struct dispatcher *d); /* everything that is not under way */

/* pause.c */
/* its circuit changed */
void pause_queue(struct dispatcher *d, struct queue *queue, const struct outcome *outcome);
/* paused already, and now for a flood */
void pause_flood(const struct queue *queue, const struct outcome *outcome);
/* and that of the destination as a whole */
void pause_destination(struct dispatcher *d, const struct err *why);
void pause_turn(struct dispatcher *d, int64_t now_ms); /* INT64_MAX at the end */

/* body_fetch.c */
int body_fetch_open(struct dispatcher *d, struct err *err);
void body_fetch_turn(struct dispatcher *d, size_t window, int64_t now_ms);
void body_fetch_request(
	struct dispatcher *d, struct job *job, struct queue *queue, int64_t now_ms);
void body_fetch_expire(struct dispatcher *d, int64_t now_ms);

/* watchdog.c */
void watchdog_turn(struct dispatcher *d, int64_t now_ms);

/* report.c */
int report_open(struct dispatcher *d, struct err *err);

#endif
