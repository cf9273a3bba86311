// SPDX-License-Identifier: Apache-2.0
/*
 * The headers of a stored message that go along when it is stored once more: as a dead letter,
 * or sent again by an operator. Those of the CloudEvent (Content-Type, ce-*) have room of
 * their own, so that an event in binary mode stays whole. Nats-* and Vcourier-* say something
 * about the message that they are in, and never go along. What another program may have
 * written there is left out where it is no header (RFC 9110, section 5): a name that is no
 * token, a value with control characters.
 */
#ifndef VCOURIER_COPIED_HEADERS_H
#define VCOURIER_COPIED_HEADERS_H

#include <stddef.h>

#include "bus.h"

enum {
	COPIED_HEADERS_MAX = 96, /* an event has 24 extensions and 8 attributes at most */
	/*
	 * Bytes. Together with ours below the 64 KiB that nats-server takes. Attributes are 16
	 * KiB, percent-encoded 48.
	 */
	COPIED_EVENT_BYTES_MAX = 48 * 1024,
	COPIED_OTHER_BYTES_MAX = 4 * 1024,
};

struct copied_headers {
	struct bus_header header[COPIED_HEADERS_MAX]; /* borrowed strings */
	size_t n;
	size_t bytes;    /* that they take in a header block */
	size_t left_out; /* those that are too many, too large, or no headers */
};

/* Calls fn for each header of a message, in any order but always the same. */
typedef void each_header(const void *message,
	void (*fn)(void *ctx, const char *name, const char *value), void *ctx);

/* bytes_max: for all of them. */
void copied_headers_take(struct copied_headers *copied, each_header *each, const void *message,
	size_t bytes_max);
void copied_headers_of(
	struct copied_headers *copied, const struct bus_msg *msg, size_t bytes_max);

#endif
