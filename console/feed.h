// SPDX-License-Identifier: Apache-2.0
/*
 * Reads new events of all sources while at least one browser watches, in a thread of its own.
 */
#ifndef VCOURIER_FEED_H
#define VCOURIER_FEED_H

#include "bus.h"
#include "bus_options.h"
#include "live.h"

struct feed;

int feed_open(struct feed **feed, struct bus *bus, const struct bus_config *config,
	struct live *live, struct err *err);
/* Stops the thread; before the bus is closed. */
void feed_stop(struct feed *feed);
void feed_close(struct feed *feed); /* after it was. NULL is fine */

#endif
