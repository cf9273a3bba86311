// SPDX-License-Identifier: Apache-2.0
/*
 * The collector's loop: one source's events into one stream, once each, for as long as it runs.
 */
#ifndef VCOURIER_COLLECT_H
#define VCOURIER_COLLECT_H

#include "bus.h"
#include "jetstream.h"
#include "source.h"

struct collect_options {
	const char *name;                /* of the eventProvider */
	const char *subject_prefix;      /* of its events: "vc" */
	const struct source *source;     /* which kind it is */
	const void *source_options;      /* its own struct, */
	struct source_settings settings; /* and what the loop needs of it */
	struct stream_config stream;
};

/*
 * Runs until a stop is requested; then waits for acks, closes the source and returns 0. -1: it
 * cannot begin. Takes the bus: closes it.
 */
int collect_run(struct bus *bus, struct http *http, const struct collect_options *options,
	struct err *err);

#endif
