// SPDX-License-Identifier: Apache-2.0
/*
 * Idle events. An event that only waits, for its next try, for a paused target, for a slot of a
 * slow one, is no reason to pull less: else one function's backlog, or a few events that fail
 * again and again, would fill the window and hold up all others. So the window does not count
 * them. They may take half of the buffer; beyond that a target that keeps failing while others
 * go on gets its oldest as dead letters, so the rest is never held up by it. When nothing goes
 * on the fault is the destination's: everything waits, nothing is given up but by age.
 */
#include "dispatch.h"

#include "clock.h"
#include "log.h"

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

static bool
queue_paused(const struct queue *queue)
{
	return queue->circuit.state == CIRCUIT_OPEN;
}

static bool
only_waits(const struct dispatcher *d, const struct delivery *delivery, size_t limit)
{
	switch (delivery->state) {
	case DELIVERY_BLOCKED:
	case DELIVERY_WAITING:
		return true;
	case DELIVERY_READY:
		return queue_paused(delivery->queue) ||
			(d->fans_out && delivery->queue->in_flight >= limit);
	default:
		return false;
	}
}

static bool
is_idle(const struct dispatcher *d, const struct job *job, size_t limit)
{
	for (size_t i = 0; i < job->n_deliveries; i++)
		if (job->delivery[i].queue != NULL && !only_waits(d, &job->delivery[i], limit))
			return false;
	return job->n_open > 0;
}

static void
count(struct dispatcher *d, int64_t now_ms)
{
	size_t limit = send_limit(d);

	d->counted_ms = now_ms;
	for (struct job *job = d->jobs.oldest; job != NULL; job = job->next)
		job_set_idle(&d->jobs, job, is_idle(d, job, limit));
}

size_t
backlog_count(struct dispatcher *d, int64_t now_ms)
{
	/*
	 * counting is for when there are many in hand, and pointless when they are one after
	 * the other
	 */
	if (d->jobs.n < (size_t)d->options->concurrency ||
		d->options->ordering == ORDERING_STRICT)
		return d->jobs.n - d->jobs.n_evicted;
	if (now_ms - d->counted_ms >= (d->jobs.n < IDLE_MAX / 8 ? COUNT_MS : COUNT_MANY_MS))
		count(d, now_ms);
	return d->jobs.n - (d->jobs.n_idle < IDLE_MAX ? d->jobs.n_idle : IDLE_MAX);
}

/* ---- giving up */

/* Others have taken events since this target fails: the destination as a whole works. */
static bool
others_go_on(const struct dispatcher *d, const struct queue *failing, int64_t now_ms)
{
	const struct queue *queue = d->jobs.ring;

	for (size_t i = 0; i < d->jobs.n_queues; i++, queue = queue->next)
		if (queue->delivered_ms > failing->failing_ms &&
			now_ms - queue->delivered_ms < GOES_ON_MS)
			return true;
	return false;
}

/*
 * Whether the delivery's target keeps failing, as far as one can tell, through no fault of the
 * destination's.
 */
static bool
target_failing(const struct dispatcher *d, const struct delivery *delivery, int64_t now_ms)
{
	const struct queue *queue = delivery->queue;

	if (queue->status == 401 || queue->status == 403 ||
		(delivery->state != DELIVERY_WAITING && delivery->state != DELIVERY_READY))
		return false;
	if (!queue_paused(queue))
		return delivery->attempts >= TRIES_MIN &&
			now_ms - queue->delivered_ms < GOES_ON_MS;
	return now_ms - queue->failing_ms > FAILS_MS &&
		(delivery->job->accepted || others_go_on(d, queue, now_ms));
}

static bool
too_many(const struct dispatcher *d)
{
	return d->jobs.n_idle > IDLE_MAX ||
		d->jobs.idle_bytes > (size_t)d->options->buffer_bytes / 2;
}

static void
give_up(struct dispatcher *d, struct delivery *delivery, const char *reason)
{
	if (delivery->why == NULL)
		delivery_explain(delivery, delivery->queue->status,
			"its target has failed ever since it came");
	settle_dead(d, delivery, reason);
}

/* An event that came while its target was paused already is not tried for ever either. */
static void
give_up_old(struct dispatcher *d, struct job *job, int64_t now_ms)
{
	if (!d->fans_out || now_ms - job->received_ms <= d->options->retry.max_age_ms)
		return;
	for (size_t i = 0; i < job->n_deliveries; i++) {
		struct delivery *delivery = &job->delivery[i];

		if (delivery->queue != NULL &&
			(delivery->state == DELIVERY_WAITING ||
				delivery->state == DELIVERY_READY) &&
			queue_paused(delivery->queue))
			give_up(d, delivery, "gave_up");
	}
}

/*
 * Hopeless deliveries of the oldest jobs, until those that wait fit again: first what was
 * tried, then the rest.
 */
static void
make_room(struct dispatcher *d, int64_t now_ms)
{
	for (int pass = 0; pass < 2 && too_many(d); pass++) {
		for (struct job *job = d->jobs.oldest, *next; job != NULL && too_many(d);
			job = next) {
			bool given_up = false;

			next = job->next;
			for (size_t i = 0;
				job->idle && job->msg != NULL && i < job->n_deliveries; i++) {
				struct delivery *delivery = &job->delivery[i];

				if (delivery->queue == NULL ||
					(pass == 0 && delivery->attempts == 0) ||
					!target_failing(d, delivery, now_ms))
					continue;
				give_up(d, delivery, "backlog");
				given_up = true;
			}
			if (given_up)
				job_set_idle(&d->jobs, job, false);
		}
	}
}

void
backlog_turn(struct dispatcher *d, int64_t now_ms)
{
	bool buffer_full;

	count(d, now_ms);
	metric_set(d->metrics.idle, (double)d->jobs.n_idle);
	if (d->jobs.n == 0 || d->stopping || dead_letters_failing(d->dead_letters) ||
		d->destination.state == CIRCUIT_OPEN)
		return;
	for (struct job *job = d->jobs.oldest, *next; job != NULL; job = next) {
		next = job->next;
		if (job->idle && job->msg != NULL)
			give_up_old(d, job, now_ms);
	}
	make_room(d, now_ms);
	buffer_full = too_many(d);
	if (buffer_full && !d->buffer_full)
		log_warn(
			"events that wait for slow or failing targets hold up the others: the buffer is full",
			L_INT("waiting", (int64_t)d->jobs.n_idle),
			L_INT("bytes", (int64_t)d->jobs.idle_bytes));
	d->buffer_full = buffer_full;
}
