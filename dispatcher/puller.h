// SPDX-License-Identifier: Apache-2.0
/*
 * Pulls the messages of one consumer: keeps as many requested as the loop has room for, and
 * requests them again when pulls end, NATS is silent or the connection was lost. The loop's,
 * but for one callback on a thread of the bus that reads headers.
 */
#ifndef VCOURIER_PULLER_H
#define VCOURIER_PULLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "inbox.h"
#include "jetstream.h"
#include "metrics.h"
#include "stream_watch.h"

struct puller;

/* A message with an event that was not acknowledged lately; owns msg. The loop calls it. */
typedef void puller_message_fn(
	void *ctx, struct bus_msg *msg, const struct jetstream_meta *meta, int64_t now_ms);

struct puller_config { /* all borrowed */
	struct bus *bus;
	struct inbox *inbox;
	struct stream_watch *watch; /* of the same stream */
	const char *stream, *durable;
	size_t index; /* no other puller has had it; part of the reply subject */
	/* redelivered more often: passed on although its headers cannot be read */
	uint64_t max_deliveries;
	struct metric *redelivered; /* counts redelivered messages */
	puller_message_fn *on_message;
	void *ctx;
};

int puller_open(struct puller **puller, const struct puller_config *config, struct err *err);
/* After the bus, or after puller_end and once puller_is_empty. NULL is fine. */
void puller_close(struct puller *puller);

/* Keeps up to `budget` messages requested; a pull requests at least `least`. */
void puller_pull(struct puller *puller, size_t budget, size_t least, int64_t now_ms);
/* The event was acknowledged: when it is redelivered it is acknowledged again. */
void puller_note_acked(struct puller *puller, uint64_t seq, int64_t stored_us);
/* Forgets all pulls, and has the consumer checked before it pulls again. */
void puller_restart(struct puller *puller);
/*
 * Ends the subscription; waits until what was on its way has arrived. Any thread. False: that
 * is not known, so the puller must live until the bus is closed.
 */
bool puller_end(struct puller *puller);
/* No message is on its way from the inbox. */
bool puller_is_empty(const struct puller *puller);

size_t puller_open_pulls(const struct puller *puller);

#endif
