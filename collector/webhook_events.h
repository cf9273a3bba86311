// SPDX-License-Identifier: Apache-2.0
/* The events of a request as messages for the stream. Pure. */
#ifndef VCOURIER_WEBHOOK_EVENTS_H
#define VCOURIER_WEBHOOK_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "event.h"
#include "webhook_options.h"
#include "webhook_wrap.h"

enum {
	WEBHOOK_HEADERS_MAX = 64, /* of a request; more are refused */
	WEBHOOK_BATCH_MAX = 1000, /* events of a batch */
	/* bytes of a message beside the event: the headers of NATS */
	WEBHOOK_MESSAGE_OVERHEAD = 1024,
};

/* One event as a message: all three are its own. */
struct webhook_event {
	char *subject; /* ce.<source>.<type> */
	char *msg_id;  /* Nats-Msg-Id: source and id */
	char *data;    /* structured mode, attributes first */
	size_t len;
};

struct webhook_events {
	struct webhook_event *event;
	size_t n, cap;
	size_t bytes; /* memory of the events */
	/* JSON objects with index, id and reason of events of a batch that were refused */
	struct buf refused;
	size_t n_refused;
};

struct webhook_input {
	const struct webhook_path *path;
	const char *source; /* name of the eventProvider */
	struct webhook_content content;
	int64_t now_us;
	uint64_t random;    /* for the id of an event that has none */
	size_t message_max; /* bytes that a message may have */
};

void webhook_events_init(struct webhook_events *events);
void webhook_events_free(struct webhook_events *events);

/*
 * Adds an event. 202: it is added; 400: it is not a valid event, or its type is not allowed;
 * 413: NATS does not take it; err says why. Changes *ev.
 */
unsigned webhook_events_add(const struct webhook_input *input, struct event *ev,
	struct webhook_events *events, struct err *err);

#endif
