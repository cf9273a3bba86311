// SPDX-License-Identifier: Apache-2.0
/*
 * One dead letter: what it says, and how it goes back. Its headers are written by
 * dispatcher/dead.c.
 */
#ifndef VCOURIER_LETTER_H
#define VCOURIER_LETTER_H

#include <stdbool.h>

#include "session.h"

struct letter {
	struct stream_msg msg; /* of VCDEAD */
};

/*
 * The event's name out of
 * vcdead.<dispatcher>.<vcenter>.<dc>.<cluster>.<severity>.<class>.<name>; NULL: no such
 * subject.
 */
const char *letter_event_name(const char *subject);

void letter_print_line(const struct letter *l, bool json);
void letter_print_all(const struct letter *l);

/*
 * Publishes the original to the dispatcher's replays, confirmed. Doing it twice is noticed by
 * the server.
 */
int letter_send_again(struct session *s, const struct letter *l, struct err *err);

#endif
