// SPDX-License-Identifier: Apache-2.0
#include "stream_metrics.h"

#include <stdio.h>

#include "metrics.h"

void
stream_metrics_set(const char *stream, const struct stream_info *info)
{
	char labels[320]; /* nats-server: a stream's name has 255 bytes at most */

	snprintf(labels, sizeof(labels), "stream=\"%s\"", stream);
	metric_set(metric_gauge("vcourier_stream_bytes", labels,
			   "Size of the messages in the stream."),
		(double)info->bytes);
	metric_set(metric_gauge("vcourier_stream_max_bytes", labels,
			   "Size that the stream may have; 0: no limit."),
		(double)info->max_bytes);
}
