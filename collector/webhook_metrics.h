// SPDX-License-Identifier: Apache-2.0
/* The webhook's own metrics. Safe from any thread after webhook_metrics_init. */
#ifndef VCOURIER_WEBHOOK_METRICS_H
#define VCOURIER_WEBHOOK_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "webhook_options.h"

/* Creates the series of all paths. */
void webhook_metrics_init(const struct webhook_options *options);

/* A request was answered. path NULL: there is no such path; ms: since it was complete. */
void webhook_metrics_request(const struct webhook_path *path, unsigned status, int64_t ms);

void webhook_metrics_connections(size_t open);

#endif
