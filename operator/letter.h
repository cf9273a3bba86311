// SPDX-License-Identifier: Apache-2.0
/*
 * One dead letter: as JSON, and sent again. dispatcher/dead_letter.c writes its headers.
 */
#ifndef VCOURIER_LETTER_H
#define VCOURIER_LETTER_H

#include <stdbool.h>

#include "session.h"

struct letter {
	struct stream_msg msg; /* of VCDEAD */
};

/*
 * The event's name in vcdead.<dispatcher>.<vcenter>.<dc>.<cluster>.<severity>.<class>.<name>,
 * or vcdead.<dispatcher>.<source>.<name> of a source other than a vCenter. original: the
 * subject that the event has in its stream, NULL: not known. NULL: it has another form.
 */
const char *letter_event_name(const char *subject, const char *original);

enum { LETTER_VALUE_MAX = 1200 };

/* Copies a header to value; "" when the dead letter does not have it. */
const char *letter_header(
	const struct letter *l, const char *name, char value[LETTER_VALUE_MAX]);

/* Appends it as one JSON object, which `vcourier dead show --json` prints. */
void letter_add_json(const struct letter *l, struct buf *out);

/*
 * Publishes the original to the dispatcher's replays and waits for the ack. The server detects
 * a second call for the same dead letter.
 */
int letter_send_again(struct session *s, const struct letter *l, struct err *err);

#endif
