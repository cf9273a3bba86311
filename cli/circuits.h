// SPDX-License-Identifier: Apache-2.0
/*
 * The state of running dispatchers, from their replies to a status request. Replicas that do
 * not run do not reply.
 */
#ifndef VCOURIER_CIRCUITS_H
#define VCOURIER_CIRCUITS_H

#include <stdbool.h>
#include <stddef.h>

#include "session.h"

struct circuits;

/*
 * Sends a request to all dispatchers of the configuration; takes about a second at most. When
 * it cannot, it prints an error, and there are no replies.
 */
struct circuits *circuits_ask(struct session *s);
void circuits_free(
	struct circuits *c); /* after the session: replies may come until it is closed */

/* For the i-th eventProcessor: "closed", "OPEN", "OPEN 1 of 3" (replicas), "no reply". */
const char *circuits_text(const struct circuits *c, size_t i, char *buf, size_t size);
bool circuits_open(const struct circuits *c, size_t i); /* at least one replica has paused */

/*
 * Prints a line for each replica that is paused, with what is paused, and for each list that it
 * could not read in full.
 */
void circuits_print(const struct circuits *c);

#endif
