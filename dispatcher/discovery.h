// SPDX-License-Identifier: Apache-2.0
/*
 * Finds the streams of events on the bus, by their names and subjects, for the option
 * `discover`. The watch thread's: it waits for the server.
 */
#ifndef VCOURIER_DISCOVERY_H
#define VCOURIER_DISCOVERY_H

#include <stdint.h>

#include "bus.h"
#include "wanted_streams.h"

struct discovery;

struct discovery_config { /* all borrowed */
	struct bus *bus;
	const char *prefix; /* of the subjects of vCenters: "vc" */
	struct wanted_streams *wanted;
};

struct discovery *discovery_open(const struct discovery_config *config);
void discovery_close(struct discovery *discovery); /* NULL is fine */

/*
 * Lists the streams when that is due, every 10 s. A stream that is not in three lists in a row
 * is not wanted any more. now_ms: monotonic. NULL is fine.
 */
void discovery_turn(struct discovery *discovery, int64_t now_ms);

/* Why no list has come yet; "": one has. Valid until the next turn. NULL is fine: "". */
const char *discovery_trouble(const struct discovery *discovery);

#endif
