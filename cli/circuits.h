// SPDX-License-Identifier: Apache-2.0
/*
 * What running dispatchers say of themselves: each replica that lives answers, the others do
 * not.
 */
#ifndef VCOURIER_CIRCUITS_H
#define VCOURIER_CIRCUITS_H

#include <stdbool.h>
#include <stddef.h>

#include "session.h"

struct circuits;

/*
 * Asks all dispatchers of the configuration; takes about a second at most. When it cannot, that
 * is said: no answers.
 */
struct circuits *circuits_ask(struct session *s);
void circuits_free(struct circuits *c); /* after the session: answers may come until its end */

/* Of the i-th eventProcessor: "closed", "OPEN", "OPEN 1 of 3" (replicas), "no answer". */
const char *circuits_text(const struct circuits *c, size_t i, char *buf, size_t size);
bool circuits_open(const struct circuits *c, size_t i); /* at least one replica has paused */

/*
 * A line for each replica that has paused, with what is paused there, and for each list that it
 * could not read in full.
 */
void circuits_print(const struct circuits *c);

#endif
