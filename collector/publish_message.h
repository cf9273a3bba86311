// SPDX-License-Identifier: Apache-2.0
/*
 * The message that publisher.h sends for an event: its headers and the subject for its ack. One
 * thread writes it.
 *
 * In a stream with replicas, nats-server 2.10 and 2.11 remember the Nats-Msg-Id of a message as
 * soon as they accept it. They do not forget it when they refuse the message afterwards for its
 * expected sequence: until the end of the duplicate window (30 minutes) the reply to this id is
 * JS_ERR_ID_IN_PROCESS, and nothing is stored. So ids are then written in another way, which
 * means the same to everyone who reads <uuid>/<key>/<time>: with zeros before the time.
 */
#ifndef VCOURIER_PUBLISH_MESSAGE_H
#define VCOURIER_PUBLISH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "bus.h"
#include "clock.h"
#include "err.h"

struct publish; /* publisher.h */

struct publish_message {
	struct buf reply; /* for the next ack: "<bus inbox>.pub.<generation>.<number>" */
	size_t inbox_len, generation_len; /* of its parts, dots included */
	int64_t complete_us;              /* what `complete` says */
	char complete[CLOCK_TEXT_SIZE];
	struct buf id;
	unsigned zeros; /* before the time of each id */
	int64_t zeros_until_ms;
};

/* The subject on which all acks come; valid until the next call. */
const char *publish_message_init(struct publish_message *m, const struct bus *bus);
void publish_message_free(struct publish_message *m);

/*
 * The messages from now on have acks of this generation. rewrite: the server refuses ids of the
 * generation before, so all ids are written in a way that was not used yet.
 */
void publish_message_begin(struct publish_message *m, uint64_t generation, bool rewrite);

/* Whether ids are written in another way. */
bool publish_message_rewritten(const struct publish_message *m);

/* Where a message is in the stream. */
struct publish_place {
	uint64_t number;     /* in its generation */
	uint64_t expected;   /* the sequence in the stream that it follows */
	int64_t complete_us; /* for HEADER_COMPLETE_BEFORE; INT64_MAX: without it */
};

/* Sends the event to this place of the stream. -1: it was not sent. */
int publish_message_send(struct publish_message *m, struct bus *bus,
	const struct publish *event, const struct publish_place *place, struct err *err);

/* The two numbers in the subject of an ack. False: it is not one. Safe in each thread. */
bool publish_message_parse_ack(const struct publish_message *m, const char *subject,
	uint64_t *generation, uint64_t *number);

#endif
