// SPDX-License-Identifier: Apache-2.0
/*
 * The streams that a dispatcher should read, on their way from the thread that learns of them
 * to the event loop: the configuration is read again while the loop runs.
 */
#ifndef VCOURIER_WANTED_STREAMS_H
#define VCOURIER_WANTED_STREAMS_H

#include <stdbool.h>

#include "dispatcher_options.h"
#include "event_streams.h"
#include "router_config.h"

struct wanted_streams;

/* Options are borrowed until the close. */
struct wanted_streams *wanted_streams_open(const struct dispatch_options *options);
void wanted_streams_close(struct wanted_streams *wanted); /* NULL is fine */

/*
 * The streams of a configuration, borrowed for the call, instead of those before. Any thread.
 */
void wanted_streams_set(struct wanted_streams *wanted, const struct router_config *config);

/* True: they are others than at the last call, and are the caller's now. The loop's. */
bool wanted_streams_take(struct wanted_streams *wanted, struct event_streams *streams);

#endif
