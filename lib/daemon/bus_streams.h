// SPDX-License-Identifier: Apache-2.0
/*
 * The streams of vcourier, each with its settings. More than one program may be the first that
 * needs a stream and so creates it; all of them take the settings from here.
 */
#ifndef VCOURIER_BUS_STREAMS_H
#define VCOURIER_BUS_STREAMS_H

#include "bus_options.h"
#include "jetstream.h"
#include "router_config.h"

/*
 * The stream of the events of one eventProvider: a vCenter's, or another source's. texts: holds
 * its name and subject, and outlives *out; what it had is cleared.
 */
void bus_streams_events(const struct bus_config *config, const struct router_entry *provider,
	struct buf *texts, struct stream_config *out);

/* First token of the subjects of these events. */
const char *bus_streams_prefix(
	const struct bus_config *config, const struct router_entry *provider);

/* Dead letters. */
void bus_streams_dead_letters(const struct bus_config *config, struct stream_config *out);

/* Events to send again to one dispatcher. It has the limits of the dead letters. */
void bus_streams_replays(const struct bus_config *config, struct stream_config *out);

#endif
