// SPDX-License-Identifier: Apache-2.0
/*
 * Pipelined publishing to one stream, without loss and without duplicates.
 *
 * Each message says by Nats-Expected-Last-Sequence which sequence it follows. If one is refused
 * or lost, the server refuses all after it: the publisher is `broken`, and the collector takes
 * back what was not stored and reads it again. The same fence keeps a second collector of this
 * vCenter out, with one exception:
 *
 *     sequence   ours, in flight    the stream
 *     11         n    (lost)        the other collector's message is stored here
 *     12         n+1                expects 11, which exists: it is stored
 *
 * Event n is then missing until it is sent again, which a running collector does. A collector
 * that is killed cannot. So each message that is sent while others wait for their acks has the
 * time from which events may be missing in HEADER_COMPLETE_BEFORE; a collector that takes over
 * reads the events from then on again.
 *
 * Nats-Expected-Last-Msg-Id would exclude this case, but it must not be used: in a stream with
 * replicas each server compares it with the last id that it stored itself, which one that has
 * caught up does not know (processCatchupMsg in nats-server's jetstream_cluster.go does not set
 * it, 2.9.10 to 2.15.2). That server then drops everything, for ever, and its vote still counts
 * for each ack.
 *
 * The Nats-Msg-Id is a second protection. When the server refuses an id without a stored
 * message, the ids are written in another way (publish_message.h). The id then no longer
 * excludes a second copy of an event that the server accepted under the id of before and has
 * not stored yet. So the first message is sent alone: its ack says that all messages before it
 * are stored or refused.
 *
 * One thread sends; acks come on a bus thread.
 */
#ifndef VCOURIER_PUBLISHER_H
#define VCOURIER_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "err.h"

struct publisher;

struct publish {
	const char *subject, *msg_id; /* msg_id: Nats-Msg-Id */
	const char *data;
	size_t len;
	int64_t key;
	int64_t created_us;
	int64_t again_us; /* a reading that begins at this createdTime finds it again */
	/* everything created before is stored or was sent; INT64_MAX: all that was read */
	int64_t complete_us;
	const char *out_of_order; /* "ahead", "behind"; NULL: it is in order */
	/*
	 * without Nats-Expected-Last-Sequence: it is stored whatever others store, and a
	 * duplicate counts as stored. All messages of a publisher, or none; their times are
	 * INT64_MAX
	 */
	bool unfenced;
};

struct publisher_stats {
	uint64_t published;  /* stored, acked */
	uint64_t duplicates; /* the server knew the Nats-Msg-Id */
	uint64_t in_flight;
	double last_ack_seconds; /* publish to ack of the newest ack */
};

/*
 * window: messages in flight at most; ack_timeout_ms: the oldest one waits no longer than this.
 */
int publisher_open(struct publisher **publisher, struct bus *bus, size_t window,
	int64_t ack_timeout_ms, struct err *err);
/* after bus_close, because acks come until then; NULL is fine */
void publisher_close(struct publisher *publisher);

/*
 * Starts again after sequence last_seq of the stream: forgets what is in flight. Acks of it
 * that come later are ignored.
 */
void publisher_reset(struct publisher *publisher, uint64_t last_seq);

/*
 * Sends one; waits while the window is full. -1: broken (err says why), nothing was sent; or
 * ERR_STOPPED. ERR_CONFLICT: another writer stored a message; ERR_FULL: no room; ERR_TIMEOUT:
 * no ack; ERR_CONNECT.
 */
int publisher_send(struct publisher *publisher, const struct publish *p, struct err *err);

/* Whether publisher_send would not have to wait. */
bool publisher_room(struct publisher *publisher);

/* -1: broken, err says why. Sends nothing. */
int publisher_check(struct publisher *publisher, struct err *err);

/* Waits until all is acked, at most timeout_ms. -1: broken, or not all acked in time. */
int publisher_drain(struct publisher *publisher, int64_t timeout_ms, struct err *err);

/*
 * Calls fn for each event that was sent and not acked, and forgets these events; acks that come
 * later are ignored. Then read the end of the stream and call publisher_reset.
 */
struct publisher_unacked {
	int64_t key;
	int64_t created_us, again_us;
};
void publisher_take_unacked(struct publisher *publisher,
	void (*fn)(void *ctx, const struct publisher_unacked *event), void *ctx);

/* of the newest message known to be stored in order */
uint64_t publisher_last_seq(struct publisher *publisher);
/* no later than any again_us in flight; INT64_MAX: none */
int64_t publisher_oldest_us(struct publisher *publisher);
/* Since the last reset the server refused an event that the stream has already. */
bool publisher_refused_duplicate(struct publisher *publisher);
void publisher_stats(struct publisher *publisher, struct publisher_stats *stats);

#endif
