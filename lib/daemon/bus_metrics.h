// SPDX-License-Identifier: Apache-2.0
/* The metrics of a daemon's connection to NATS. */
#ifndef VCOURIER_BUS_METRICS_H
#define VCOURIER_BUS_METRICS_H

#include <stdint.h>

#include "bus.h"
#include "metrics.h"

struct bus_metrics {
	struct metric *up, *reconnects, *silent;
	uint64_t n_reconnects, n_silent; /* of the bus, when they were counted last */
};

/* The series exist from here on, at 0. Once for each bus, which counts from 0. */
void bus_metrics_init(struct bus_metrics *metrics);
/* Also logs a warning when the bus has replaced a connection on which nothing was answered. */
void bus_metrics_update(struct bus_metrics *metrics, const struct bus *bus);

#endif
