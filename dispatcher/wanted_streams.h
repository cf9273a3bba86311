// SPDX-License-Identifier: Apache-2.0
/*
 * The streams that a dispatcher should read, on their way from the threads that learn of them
 * to the event loop: the configuration is read again while the loop runs, and streams are found
 * on the bus (discovery.h).
 */
#ifndef VCOURIER_WANTED_STREAMS_H
#define VCOURIER_WANTED_STREAMS_H

#include <stdbool.h>

#include "dispatcher_options.h"
#include "event_streams.h"
#include "router_config.h"

struct wanted_streams;

/* Options are borrowed until the close, and by all streams. */
struct wanted_streams *wanted_streams_open(const struct dispatch_options *options);
void wanted_streams_close(struct wanted_streams *wanted); /* NULL is fine */

/*
 * The streams of a configuration, borrowed for the call, instead of those before. Any thread.
 */
void wanted_streams_set(struct wanted_streams *wanted, const struct router_config *config);
/* The same for streams that were found: names and subjects alternating. Any thread. */
void wanted_streams_set_found(
	struct wanted_streams *wanted, char *const *names_and_subjects, size_t n_streams);

/*
 * True: they are others than at the last call. Then they are the caller's: those of the
 * configuration, and those that were found beside them. The loop's.
 */
bool wanted_streams_take(struct wanted_streams *wanted, struct event_streams *streams);

#endif
