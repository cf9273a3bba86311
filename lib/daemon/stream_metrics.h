// SPDX-License-Identifier: Apache-2.0
/* How full a stream is, for the alert before it loses events or takes no more. Thread-safe. */
#ifndef VCOURIER_STREAM_METRICS_H
#define VCOURIER_STREAM_METRICS_H

#include "jetstream.h"

/* stream: its name */
void stream_metrics_set(const char *stream, const struct stream_info *info);
/* The stream is not read any more: its series end. */
void stream_metrics_remove(const char *stream);

#endif
