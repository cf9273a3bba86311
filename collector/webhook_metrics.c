// SPDX-License-Identifier: Apache-2.0
#include "webhook_metrics.h"

#include <stdio.h>

#include "buf.h"
#include "json.h"
#include "metrics.h"

#define REQUESTS "vcourier_webhook_requests_total"

enum { LABELS_MAX = 8 * 1024 };

/* All that webhook_http.c answers with. */
static const unsigned statuses[] = { 200, 202, 400, 401, 404, 405, 413, 415, 431, 503 };

static const struct metric_buckets seconds = { 11,
	{ 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5 } };

static struct metric *
requests(const struct webhook_path *path, unsigned status)
{
	struct metric *m;
	struct buf labels;

	buf_init(&labels, LABELS_MAX);
	buf_add_str(&labels, "path=");
	json_add_string(
		&labels, path != NULL ? path->name : "", path != NULL ? strlen(path->name) : 0);
	buf_printf(&labels, ",code=\"%u\"", status);
	m = metric_counter(
		REQUESTS, buf_str(&labels), "Requests, by path and the status of the answer.");
	buf_free(&labels);
	return m;
}

static struct metric *
latency(void)
{
	return metric_histogram("vcourier_webhook_request_seconds", "", &seconds,
		"From the end of a request to its answer.");
}

static struct metric *
connections(void)
{
	return metric_gauge("vcourier_webhook_connections", "", "Open connections.");
}

void
webhook_metrics_init(const struct webhook_options *options)
{
	const struct webhook_path *p;

	for (size_t i = 0; (p = webhook_options_path(options, i)) != NULL; i++)
		for (size_t k = 0; k < sizeof(statuses) / sizeof(statuses[0]); k++)
			requests(p, statuses[k]);
	requests(NULL, 404);
	latency();
	connections();
}

void
webhook_metrics_request(const struct webhook_path *path, unsigned status, int64_t ms)
{
	metric_add(requests(path, status), 1);
	if (status == 202)
		metric_observe(latency(), (double)ms / 1000);
}

void
webhook_metrics_connections(size_t open)
{
	metric_set(connections(), (double)open);
}
