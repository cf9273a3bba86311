// SPDX-License-Identifier: Apache-2.0
/*
 * Counters, gauges and histograms, rendered as Prometheus text (version 0.0.4). All calls are
 * thread-safe. Names follow https://prometheus.io/docs/practices/naming/ ; labels are closed
 * sets, never an event id, a VM name or a URL. Create every series of a set at the start: a
 * counter that appears at 1 has no increase that Prometheus could see.
 */
#ifndef VCOURIER_METRICS_H
#define VCOURIER_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct metric;

/* The upper bounds of a histogram's buckets, ascending, in the metric's unit. */
enum { METRIC_BUCKETS_MAX = 20 };
struct metric_buckets {
	size_t n;
	double bound[METRIC_BUCKETS_MAX];
};

/*
 * Sets the label that every series of this process carries, process_* included: "source" or
 * "dispatcher", and the name from the configuration (copied; any text). Without it, two
 * collectors on one machine would differ only by their ports.
 */
void metrics_set_label(const char *name, const char *value);

/*
 * Finds or creates a series; never fails, the series lives as long as the process. name:
 * without labels, constant. labels: as in the exposition format without braces
 * (`result="ok",code="503"`), "" for none; copied.
 */
struct metric *metric_counter(const char *name, const char *labels, const char *help);
struct metric *metric_gauge(const char *name, const char *labels, const char *help);
/* buckets: constant, the same in each call with this name. */
struct metric *metric_histogram(const char *name, const char *labels,
	const struct metric_buckets *buckets, const char *help);

void metric_add(struct metric *m, uint64_t n); /* counter */
void metric_set(struct metric *m, double v);   /* gauge */
void metric_hide(struct metric *m); /* a gauge: not rendered until metric_set is called again */
void metric_observe(struct metric *m, double value); /* histogram */
uint64_t metric_count(const struct metric *m); /* a counter's value, or a histogram's count */
double metric_value(const struct metric *m);   /* a gauge's value, or a histogram's sum */

/* Writes all of them, process_* metrics and log lines by level. */
void metrics_render(struct buf *out);

#endif
