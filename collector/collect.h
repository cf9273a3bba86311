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
	const char *name;            /* of the source, as configured */
	const char *address;         /* where it is, without user info; for `vcourier status` */
	const struct source *source; /* which kind it is */
	const void *source_options;  /* its own struct */
	struct stream_config stream;
	/* W: how far before the newest event reading begins; 60 s */
	int64_t overlap_ms;
	int64_t audit_span_ms; /* A: how far back late events are looked for; 10 min */
	int window;            /* publishes in flight */
	/* choose one reader among several collectors by a lease in NATS KV */
	bool lease;
};

/*
 * Runs until a stop is requested; then waits for acks, closes the source and returns 0. -1: it
 * cannot begin. Takes the bus: closes it.
 */
int collect_run(struct bus *bus, struct http *http, const struct collect_options *options,
	struct err *err);

#endif
