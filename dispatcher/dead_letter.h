// SPDX-License-Identifier: Apache-2.0
/*
 * What a dead letter consists of: the original message, and in headers why it is here. It has
 * to be storable whatever the original is, because a message without one stops all deliveries:
 * so there is a budget for headers, the subject is cut at a token, a body that leaves no room
 * stays in its stream, and the bare form refers to the original only.
 */
#ifndef VCOURIER_DEAD_LETTER_H
#define VCOURIER_DEAD_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "bus.h"
#include "copied_headers.h"
#include "event_streams.h"
#include "job.h"

enum {
	DEAD_LETTER_OWN_HEADERS_MAX = 24,
	/*
	 * nats-server takes protocol lines of 4 KiB (max_control_line), with the reply subject
	 * and two lengths
	 */
	DEAD_LETTER_SUBJECT_MAX = 1024,
};

struct dead_letter {
	struct bus_out out; /* reply is the caller's to set */
	struct bus_header header[COPIED_HEADERS_MAX + DEAD_LETTER_OWN_HEADERS_MAX];
	char subject[DEAD_LETTER_SUBJECT_MAX];
	struct buf text; /* where the values of our headers are; never moves */
};

struct dead_letter_from {
	const char *dispatcher;              /* name of the eventProcessor */
	const char *durable;                 /* its token */
	const char *prefix;                  /* of subjects: "vc" */
	const struct event_streams *streams; /* they say which source has "ce" */
	int64_t max_payload;                 /* bytes, headers included; 0: not known */
};

struct dead_letter_form {
	/*
	 * without the original's headers and body, our texts cut to 128 bytes; what was asked
	 * for and where it is stays
	 */
	bool bare;
	/*
	 * ids before this one that the server refused and does not accept any more
	 * (JS_ERR_ID_IN_PROCESS); this one differs from them
	 */
	unsigned ids_refused;
};

/* The delivery's message is borrowed until dead_letter_free. */
void dead_letter_write(struct dead_letter *letter, const struct dead_letter_from *from,
	const struct delivery *delivery, const struct dead_letter_form *form);
void dead_letter_free(struct dead_letter *letter);

#endif
