// SPDX-License-Identifier: Apache-2.0
/*
 * How many events to hold in memory, and how many to request from NATS. Pure.
 */
#ifndef VCOURIER_WINDOW_H
#define VCOURIER_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

struct window_config {
	size_t concurrency;  /* requests in flight */
	size_t batch_max;    /* events that one request can carry */
	size_t buffer_bytes; /* memory for events */
	bool strict;         /* one event at a time */
};

/*
 * Events in memory that do not only wait: those in flight, and a reserve that keeps a fast
 * backend busy while a pull is answered.
 */
size_t window_size(const struct window_config *config);

struct window_state {
	size_t held;      /* events in memory that do not only wait */
	size_t bytes;     /* of all events in memory */
	size_t largest;   /* bytes that one event may take, its deliveries included */
	size_t n_untried; /* events in memory that can be a probe */
	bool stopped;     /* nothing can be delivered now */
	bool paused;      /* only probes are sent */
};

/* Events to hold beyond those that are held. What is requested already is part of it. */
size_t window_budget(const struct window_config *config, const struct window_state *state);
/*
 * What one pull should request at least, over all streams: each costs the server a request.
 * Several pulls are open at a time, so that events come before the oldest is used up.
 */
size_t window_least(const struct window_config *config, const struct window_state *state);

#endif
