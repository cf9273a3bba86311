// SPDX-License-Identifier: Apache-2.0
#include "stream_metrics.h"

#include <stdio.h>

#include "metrics.h"

struct stream_gauges {
	struct metric *bytes, *max_bytes;
};

static struct stream_gauges
gauges_of(const char *stream)
{
	char labels[320]; /* nats-server: a stream's name has 255 bytes at most */

	snprintf(labels, sizeof(labels), "stream=\"%s\"", stream);
	return (struct stream_gauges){ .bytes = metric_gauge("vcourier_stream_bytes", labels,
					       "Size of the messages in the stream."),
		.max_bytes = metric_gauge("vcourier_stream_max_bytes", labels,
			"Size that the stream may have; 0: no limit.") };
}

void
stream_metrics_set(const char *stream, const struct stream_info *info)
{
	struct stream_gauges g = gauges_of(stream);

	metric_set(g.bytes, (double)info->bytes);
	metric_set(g.max_bytes, (double)info->max_bytes);
}

void
stream_metrics_remove(const char *stream)
{
	struct stream_gauges g = gauges_of(stream);

	metric_hide(g.bytes);
	metric_hide(g.max_bytes);
}
