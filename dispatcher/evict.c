// SPDX-License-Identifier: Apache-2.0
#include "evict.h"

#include <stdbool.h>

enum {
	EVICTED_MAX = 8 * 1024, /* jobs */
	SOON_MS = 1000,
};

/* The delivery will not be sent soon. */
static bool
stuck(const struct delivery *delivery, int64_t now_ms)
{
	if (delivery->state == DELIVERY_WAITING)
		return delivery->queue->circuit.state == CIRCUIT_OPEN ||
			delivery->wait.key > now_ms + SOON_MS;
	return delivery->state == DELIVERY_READY &&
		(delivery->queue->circuit.state == CIRCUIT_OPEN ||
			delivery->queue->n_ready > 16);
}

static bool
can_evict(const struct job *job, int64_t now_ms)
{
	/* the deliveries take more memory than the body: it stays, and counts as a backlog */
	if (job->msg == NULL || job->delivery_bytes > bus_msg_len(job->msg) || job->keyed ||
		job->stale || bus_msg_has_own_headers(job->msg))
		return false;
	for (size_t i = 0; i < job->n_deliveries; i++)
		if (job->delivery[i].queue != NULL && !stuck(&job->delivery[i], now_ms))
			return false;
	return true;
}

void
evict_turn(struct jobs *jobs, const struct evict_limits *limits, int64_t now_ms)
{
	size_t held = jobs->n - jobs->n_evicted;
	struct job *job;

	if (held < limits->window && jobs->bytes < limits->bytes)
		return;
	TAILQ_FOREACH_REVERSE(job, &jobs->list, job_list, link) {
		if (held <= limits->window / 2 || jobs->n_evicted >= EVICTED_MAX)
			break;
		if (!can_evict(job, now_ms))
			continue;
		job_evict(jobs, job);
		job_set_tried(jobs, job); /* a probe needs an event whose body is in memory */
		held--;
	}
}
