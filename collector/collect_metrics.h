// SPDX-License-Identifier: Apache-2.0
/* Metrics of the collector that are the same for every source. */
#ifndef VCOURIER_COLLECT_METRICS_H
#define VCOURIER_COLLECT_METRICS_H

#include "bus.h"
#include "err.h"
#include "publisher.h"
#include "source.h"

/* Every series exists from here on, at 0. Again before each run: totals count on. */
void collect_metrics_init(const char *source_name);

/* What the metrics are computed from. */
struct collect_metrics_view {
	struct source_status source;
	struct publisher_stats publisher;
	uint64_t taken_back; /* events that are read again, since they were not stored */
	const struct bus *bus;
	size_t identities; /* events in `seen` */
	bool leader;
};
void collect_metrics_update(const struct collect_metrics_view *view);

void collect_metrics_publish_error(enum err_code code); /* the publisher failed */

#endif
