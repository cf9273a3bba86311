// SPDX-License-Identifier: Apache-2.0
#include "watchdog.h"

#include "log.h"

enum { CHECK_MS = 1000 };

static bool
circuit_open(const struct watchdog_view *view)
{
	const struct queue *queue;

	TAILQ_FOREACH(queue, &view->jobs->queues, link)
		if (queue->circuit.state == CIRCUIT_OPEN)
			return true;
	return view->paused;
}

/* Reads the queues themselves, not the counters: those may be what is wrong. */
static bool
under_way(const struct watchdog_view *view)
{
	const struct queue *queue;
	const struct job *job;

	if (view->messages > 0 || view->under_way || circuit_open(view))
		return true;
	TAILQ_FOREACH(queue, &view->jobs->queues, link)
		if (queue->waiting.n > 0)
			return true;
	TAILQ_FOREACH(job, &view->jobs->list, link)
		if (job->fetch_queue != NULL || job->again_ms != 0)
			return true;
	return false;
}

static void
report(const struct watchdog_view *view, enum stall_kind kind)
{
	const struct jobs *jobs = view->jobs;

	log_error("the dispatcher has stopped: restarted; please report this line",
		L_STR("stopped", stall_name(kind)),
		L_INT("pending", (int64_t)view->sources.pending),
		L_INT("pulls", (int64_t)view->sources.open_pulls),
		L_INT("held", (int64_t)jobs->n), L_INT("evicted", (int64_t)jobs->n_evicted),
		L_INT("untried", (int64_t)jobs->n_untried),
		L_INT("idle", (int64_t)jobs->n_idle), L_INT("bytes", (int64_t)jobs->bytes),
		L_INT("in_flight", (int64_t)view->in_flight),
		L_INT("unconfirmed", (int64_t)view->unconfirmed),
		L_INT("circuit_open", circuit_open(view)));
}

bool
watchdog_due(const struct watchdog *watchdog, int64_t now_ms)
{
	return now_ms - watchdog->checked_ms >= CHECK_MS;
}

bool
watchdog_check(struct watchdog *watchdog, const struct watchdog_view *view,
	struct dispatcher_metrics *metrics, int64_t now_ms)
{
	struct stall_view stall = { .able = view->able,
		.starving = view->sources.starving,
		.holding = !TAILQ_EMPTY(&view->jobs->list) || view->messages > 0,
		.progress = view->jobs->changes };
	enum stall_kind kind;

	watchdog->checked_ms = now_ms;
	stall.under_way = stall.holding && under_way(view);
	kind = stall_check(&watchdog->stall, &stall, now_ms);
	if (kind == STALL_NONE)
		return false;
	metric_add(kind == STALL_PULL ? metrics->stalled_pull : metrics->stalled_deliver, 1);
	report(view, kind);
	return true;
}
