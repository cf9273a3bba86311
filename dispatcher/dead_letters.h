// SPDX-License-Identifier: Apache-2.0
/*
 * Dead letters on their way into their stream. Each is published like any event, with an id
 * that makes a second copy of it a duplicate. The original is settled only after the server
 * has confirmed the dead letter. While dead letters cannot be stored, deliveries must pause:
 * the next one that fails would have nowhere to go.
 */
#ifndef VCOURIER_DEAD_LETTERS_H
#define VCOURIER_DEAD_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "err.h"
#include "inbox.h"
#include "event_streams.h"
#include "job.h"

struct dead_letters;

struct dead_letters_config {
	struct bus *bus;
	struct inbox *inbox;
	const char *stream;     /* where they are stored: for log lines */
	const char *dispatcher; /* name of the eventProcessor */
	const char *durable;    /* its token */
	const char *prefix;     /* of the subjects of events: "vc" */
	const struct event_streams *streams;
	delivery_fn *on_stored; /* the dead letter of this delivery is in the stream */
	void *ctx;
};

/* The strings of config must live until dead_letters_close. */
int dead_letters_open(struct dead_letters **letters, const struct dead_letters_config *config,
	struct err *err);
void dead_letters_close(struct dead_letters *letters); /* after the bus; NULL is allowed */

/* ---- for the thread of the event loop; now_ms: monotonic */

/* Stores one for this delivery, which must live until on_stored is called. */
void dead_letters_store(struct dead_letters *letters, struct delivery *delivery);
void dead_letters_turn(struct dead_letters *letters, int64_t now_ms);
/* The stream did not accept the latest one: nothing is to be sent until it does. */
bool dead_letters_failing(const struct dead_letters *letters);
bool dead_letters_busy(const struct dead_letters *letters); /* some are not confirmed */

/* ---- any thread */

/* The stream is not known to exist. Nothing is published until dead_letters_stream_ready. */
bool dead_letters_want_stream(const struct dead_letters *letters);
void dead_letters_stream_ready(struct dead_letters *letters);

#endif
