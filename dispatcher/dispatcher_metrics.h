// SPDX-License-Identifier: Apache-2.0
/*
 * The dispatcher's metrics. What becomes of events adds up: stored = delivered + filtered +
 * dead + expired + pending.
 */
#ifndef VCOURIER_DISPATCHER_METRICS_H
#define VCOURIER_DISPATCHER_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus_metrics.h"
#include "http.h"
#include "metrics.h"

enum { STATUSES = 600 };

struct dispatcher_metrics {
	char backend[64];                                     /* the label */
	struct metric *delivered, *filtered, *dead, *expired; /* events, each counted once */
	struct metric *pending, *ack_pending, *oldest_age, *consumer_ahead;
	struct metric *retries, *throttled, *redelivered;
	struct metric *in_flight, *in_memory, *idle;
	struct metric *circuit, *circuit_opens, *paused_targets;
	struct metric *backend_up;
	struct bus_metrics nats; /* the watch thread updates them */
	struct metric *stalled_pull, *stalled_deliver;
	struct metric *duration, *age, *attempts;
	struct metric *by_status[STATUSES]; /* made when first needed */
};

/* Every series except those by HTTP status exists from here on. Again before each run. */
void dispatcher_metrics_init(struct dispatcher_metrics *metrics, const char *backend);
void dispatcher_metrics_response(
	struct dispatcher_metrics *metrics, const struct http_response *rsp, size_t events);
void dispatcher_metrics_pause(struct dispatcher_metrics *metrics); /* of a target begins */
/* up: deliveries run; down: no target answers */
void dispatcher_metrics_backend(
	struct dispatcher_metrics *metrics, bool up, bool down, size_t paused_targets);
void dispatcher_metrics_age(
	struct dispatcher_metrics *metrics, int64_t age_us); /* stored until delivered */
void dispatcher_metrics_attempts(struct dispatcher_metrics *metrics, unsigned attempts);
/* since its last success */
void dispatcher_metrics_refresh_age(
	struct dispatcher_metrics *metrics, const char *refresh, int64_t age_ms);
void dispatcher_metrics_dead(struct dispatcher_metrics *metrics, const char *reason);

#endif
