// SPDX-License-Identifier: Apache-2.0
#include "backlog.h"

#include <stdlib.h>

#include "log.h"
#include "mem.h"

enum {
	IDLE_MAX = 8192,        /* jobs */
	COUNT_MS = 10,          /* a count is good for this long, */
	COUNT_MANY_MS = 100,    /* one of many jobs for this long */
	GOES_ON_MS = 60 * 1000, /* a target that took an event this lately works */
	/* a target that has failed for this long may lose its backlog */
	FAILS_MS = 5 * 1000,
	/* before a target that works otherwise loses an event to its backlog */
	TRIES_MIN = 3,
};

struct backlog {
	struct backlog_config config;
	int64_t counted_ms; /* when the idle jobs were counted last */
	bool full;          /* logged: events that wait hold up the others */
};

struct backlog *
backlog_open(const struct backlog_config *config)
{
	struct backlog *backlog = mem_alloc(sizeof(*backlog));

	backlog->config = *config;
	return backlog;
}

void
backlog_close(struct backlog *backlog)
{
	free(backlog);
}

static bool
queue_paused(const struct queue *queue)
{
	return queue->circuit.state == CIRCUIT_OPEN;
}

static bool
only_waits(const struct backlog *b, const struct delivery *delivery, size_t limit)
{
	switch (delivery->state) {
	case DELIVERY_BLOCKED:
	case DELIVERY_WAITING:
		return true;
	case DELIVERY_READY:
		return queue_paused(delivery->queue) ||
			(b->config.jobs->fans_out && delivery->queue->in_flight >= limit);
	default:
		return false;
	}
}

static bool
is_idle(const struct backlog *b, const struct job *job, size_t limit)
{
	for (size_t i = 0; i < job->n_deliveries; i++)
		if (job->delivery[i].queue != NULL && !only_waits(b, &job->delivery[i], limit))
			return false;
	return job->n_open > 0;
}

static void
count(struct backlog *b, int64_t now_ms)
{
	size_t limit = deliver_target_limit(b->config.deliver);
	struct job *job;

	b->counted_ms = now_ms;
	TAILQ_FOREACH(job, &b->config.jobs->list, link)
		job_set_idle(b->config.jobs, job, is_idle(b, job, limit));
}

size_t
backlog_active(struct backlog *b, int64_t now_ms)
{
	/*
	 * counting is useful when there are many jobs, and pointless when they come one after
	 * the other
	 */
	if (b->config.jobs->n < (size_t)b->config.options->concurrency ||
		b->config.options->ordering == ORDERING_STRICT)
		return b->config.jobs->n - b->config.jobs->n_evicted;
	if (now_ms - b->counted_ms >=
		(b->config.jobs->n < IDLE_MAX / 8 ? COUNT_MS : COUNT_MANY_MS))
		count(b, now_ms);
	return b->config.jobs->n -
		(b->config.jobs->n_idle < IDLE_MAX ? b->config.jobs->n_idle : IDLE_MAX);
}

/* ---- giving up */

/* Other targets accepted events since this one fails: the destination as a whole works. */
static bool
others_go_on(const struct backlog *b, const struct queue *failing, int64_t now_ms)
{
	const struct queue *queue;

	TAILQ_FOREACH(queue, &b->config.jobs->queues, link)
		if (queue->delivered_ms > failing->failing_ms &&
			now_ms - queue->delivered_ms < GOES_ON_MS)
			return true;
	return false;
}

/* The delivery's target keeps failing, and the destination as a whole does not. */
static bool
target_failing(const struct backlog *b, const struct delivery *delivery, int64_t now_ms)
{
	const struct queue *queue = delivery->queue;

	if (queue->status == 401 || queue->status == 403 ||
		(delivery->state != DELIVERY_WAITING && delivery->state != DELIVERY_READY))
		return false;
	if (!queue_paused(queue))
		return delivery->attempts >= TRIES_MIN &&
			now_ms - queue->delivered_ms < GOES_ON_MS;
	return now_ms - queue->failing_ms > FAILS_MS &&
		(delivery->job->accepted || others_go_on(b, queue, now_ms));
}

static bool
too_many(const struct backlog *b)
{
	return b->config.jobs->n_idle > IDLE_MAX ||
		b->config.jobs->idle_bytes > (size_t)b->config.options->buffer_bytes / 2;
}

static void
give_up(struct backlog *b, struct delivery *delivery, const char *reason)
{
	if (delivery->why == NULL)
		delivery_explain(delivery, delivery->queue->status,
			"its target has failed since the event was received");
	settle_dead(b->config.settle, delivery, reason);
}

/* Also an event that was received while its target was paused ends after maxAge. */
static void
give_up_old(struct backlog *b, struct job *job, int64_t now_ms)
{
	if (!b->config.jobs->fans_out ||
		now_ms - job->received_ms <= b->config.options->retry.max_age_ms)
		return;
	for (size_t i = 0; i < job->n_deliveries; i++) {
		struct delivery *delivery = &job->delivery[i];

		if (delivery->queue != NULL &&
			(delivery->state == DELIVERY_WAITING ||
				delivery->state == DELIVERY_READY) &&
			queue_paused(delivery->queue))
			give_up(b, delivery, "gave_up");
	}
}

/*
 * Ends deliveries to failing targets, those of the oldest jobs first, until the waiting events
 * fit again. Deliveries that were tried go first, then the others.
 */
static void
make_room(struct backlog *b, int64_t now_ms)
{
	for (int pass = 0; pass < 2 && too_many(b); pass++) {
		for (struct job *job = TAILQ_FIRST(&b->config.jobs->list), *next;
			job != NULL && too_many(b); job = next) {
			bool given_up = false;

			next = TAILQ_NEXT(job, link);
			for (size_t i = 0;
				job->idle && job->msg != NULL && i < job->n_deliveries; i++) {
				struct delivery *delivery = &job->delivery[i];

				if (delivery->queue == NULL ||
					(pass == 0 && delivery->attempts == 0) ||
					!target_failing(b, delivery, now_ms))
					continue;
				give_up(b, delivery, "backlog");
				given_up = true;
			}
			if (given_up)
				job_set_idle(b->config.jobs, job, false);
		}
	}
}

void
backlog_turn(struct backlog *b, bool may_give_up, int64_t now_ms)
{
	bool buffer_full;

	count(b, now_ms);
	metric_set(b->config.metrics->idle, (double)b->config.jobs->n_idle);
	if (b->config.jobs->n == 0 || !may_give_up)
		return;
	for (struct job *job = TAILQ_FIRST(&b->config.jobs->list), *next; job != NULL;
		job = next) {
		next = TAILQ_NEXT(job, link);
		if (job->idle && job->msg != NULL)
			give_up_old(b, job, now_ms);
	}
	make_room(b, now_ms);
	buffer_full = too_many(b);
	if (buffer_full && !b->full)
		log_warn(
			"events that wait for slow or failing targets hold up the others: the buffer is full",
			L_INT("waiting", (int64_t)b->config.jobs->n_idle),
			L_INT("bytes", (int64_t)b->config.jobs->idle_bytes));
	b->full = buffer_full;
}
