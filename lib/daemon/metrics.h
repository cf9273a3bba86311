// SPDX-License-Identifier: Apache-2.0
/*
 * Counters, gauges and histograms, rendered as Prometheus text (version 0.0.4). All calls are
 * thread-safe. Names follow https://prometheus.io/docs/practices/naming/ ; labels are closed
 * sets, never an event id, a VM name or a URL.
 */
#ifndef VCOURIER_METRICS_H
#define VCOURIER_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct metric;

/*
 * Finds or creates a series; never fails, the series lives as long as the process. name:
 * without labels, constant. labels: as in the exposition format without braces
 * (`result="ok",code="503"`), "" for none; copied.
 */
struct metric *metric_counter(const char *name, const char *labels, const char *help);
struct metric *metric_gauge(const char *name, const char *labels, const char *help);
/* Buckets in seconds, 1 ms to 60 s. */
struct metric *metric_histogram(const char *name, const char *labels, const char *help);

void metric_add(struct metric *m, uint64_t n); /* counter */
void metric_set(struct metric *m, double v);   /* gauge */
void metric_observe(struct metric *m, double seconds);
uint64_t metric_count(const struct metric *m); /* a counter's value, or a histogram's count */
double metric_value(const struct metric *m);   /* a gauge's value, or a histogram's sum */

/* Writes all of them, process_* metrics and log lines by level. */
void metrics_render(struct buf *out);

#endif
