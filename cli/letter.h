// SPDX-License-Identifier: Apache-2.0
/*
 * One dead letter: prints it and sends it again. dispatcher/dead_letter.c writes its headers.
 */
#ifndef VCOURIER_LETTER_H
#define VCOURIER_LETTER_H

#include <stdbool.h>

#include "session.h"

struct letter {
	struct stream_msg msg; /* of VCDEAD */
};

/*
 * The event's name in vcdead.<dispatcher>.<vcenter>.<dc>.<cluster>.<severity>.<class>.<name>;
 * NULL: the subject has another form.
 */
const char *letter_event_name(const char *subject);

void letter_print_line(const struct letter *l, bool json);
void letter_print_all(const struct letter *l);

/*
 * Publishes the original to the dispatcher's replays and waits for the ack. The server detects
 * a second call for the same dead letter.
 */
int letter_send_again(struct session *s, const struct letter *l, struct err *err);

#endif
