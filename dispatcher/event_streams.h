// SPDX-License-Identifier: Apache-2.0
/*
 * Sets of streams of events that a dispatcher reads: one for each eventProvider of the file
 * that its option `vcenters` chooses, with what `perVcenter` says of that vCenter. A stream may
 * be in several sets; only one thread changes the sets of a stream.
 */
#ifndef VCOURIER_EVENT_STREAMS_H
#define VCOURIER_EVENT_STREAMS_H

#include <stddef.h>
#include <stdint.h>

#include "dispatcher_options.h"
#include "jetstream.h"
#include "router_config.h"

struct event_stream {
	struct stream_config config;
	/* of this vCenter; the options own both */
	const struct dispatch_filter *filter;
	const char *start_from;
	bool discovered;  /* no eventProvider of the file: only name and subject are known */
	struct buf texts; /* of the config */
	size_t sets;      /* that it is in */
};

struct event_streams {
	struct event_stream **stream;
	size_t n;
	uint64_t version; /* counts up with each change */
};

/* Options are borrowed while one of the streams exists, the config for the call. */
void event_streams_init(struct event_streams *streams, const struct router_config *config,
	const struct dispatch_options *options);
/*
 * Adds a stream that was found on the bus, unless the set has it or the options do not choose
 * it. subject: "vc.lab.>"
 */
void event_streams_add_found(struct event_streams *streams, const char *name,
	const char *subject, const struct dispatch_options *options);
/* Copies of all streams, which no other set has. */
void event_streams_copy(struct event_streams *copy, const struct event_streams *streams);
/* Also frees the streams that are in no other set. A zeroed set is fine. */
void event_streams_free(struct event_streams *streams);
/* The stream of this name; NULL: the set has none. */
struct event_stream *event_streams_find(const struct event_streams *streams, const char *name);
void event_streams_add(struct event_streams *streams, struct event_stream *stream);
void event_streams_remove(struct event_streams *streams, struct event_stream *stream);

/*
 * Whether a stream is one of events by its name and subjects: VC_<token> with
 * <prefix>.<token>.>, or CE_<token> with ce.<token>.>; a mirror has no subjects. Writes its
 * subject to out.
 */
bool event_streams_is_ours(
	const char *name, const char *subjects, const char *prefix, char *out, size_t size);

/*
 * Checks `vcenters` and `perVcenter` of an eventProcessor against the eventProviders of the
 * file: a name that is not there, and a choice of none, are errors; a pattern that matches no
 * vCenter is a warning. With `discover`, they may be found later. Patterns select vCenters
 * only.
 */
void event_streams_check(const struct router_config *config, const struct config_node *node,
	const struct dispatch_options *options, struct config_errors *errors);

#endif
