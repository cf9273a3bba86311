// SPDX-License-Identifier: Apache-2.0
/*
 * The streams of events that a dispatcher reads: one for each eventProvider of the file that
 * its option `vcenters` chooses, with what `perVcenter` says of that vCenter.
 */
#ifndef VCOURIER_EVENT_STREAMS_H
#define VCOURIER_EVENT_STREAMS_H

#include <stddef.h>

#include "dispatcher_options.h"
#include "jetstream.h"
#include "router_config.h"

struct event_stream {
	struct stream_config config;
	/* of this vCenter; the options own both */
	const struct dispatch_filter *filter;
	const char *start_from;
	struct buf texts; /* of the config */
};

struct event_streams {
	struct event_stream *stream;
	size_t n;
};

/* Config and options are borrowed until event_streams_free. */
void event_streams_init(struct event_streams *streams, const struct router_config *config,
	const struct dispatch_options *options);
void event_streams_free(struct event_streams *streams);

/*
 * Checks `vcenters` and `perVcenter` of an eventProcessor against the eventProviders of the
 * file: a name that is not there, and a choice of none, are errors; a pattern that matches no
 * vCenter is a warning. Patterns select vCenters only.
 */
void event_streams_check(const struct router_config *config, const struct config_node *node,
	const struct dispatch_options *options, struct config_errors *errors);

#endif
