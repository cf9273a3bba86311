// SPDX-License-Identifier: Apache-2.0
/*
 * What the kernel knows of this process, under the names that all Prometheus clients use:
 * https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
 */
#ifndef VCOURIER_PROCESS_METRICS_H
#define VCOURIER_PROCESS_METRICS_H

/* type: "counter" or "gauge"; all strings are constants. */
typedef void process_metrics_fn(
	void *ctx, const char *name, const char *type, const char *help, double value);

/* Calls add for each; not thread-safe. */
void process_metrics_each(process_metrics_fn *add, void *ctx);

#endif
