// SPDX-License-Identifier: Apache-2.0
/* A message becomes a job: is it an event, is it for us, whose turn is it, where does it go. */
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "order.h"
#include "protocol.h"

/* A job whose event cannot be sent anywhere still needs a delivery, to be buried by. */
static void
reject(struct dispatcher *d, struct job *job, const char *reason, const struct err *err)
{
	job_set_deliveries(&d->jobs, job, 1);
	delivery_set_target(&d->jobs, job->delivery, "");
	delivery_explain(job->delivery, 0, err->text);
	settle_dead(d, job->delivery, reason);
}

/* What is sent again, history or a dead letter, may be for one of the targets only. */
static void
keep_only(struct targets *targets, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < targets->n; i++) {
		struct target other = targets->target[kept];

		if (strcmp(targets->target[i].name, name) != 0)
			continue;
		targets->target[kept++] = targets->target[i];
		targets->target[i] = other;
	}
	while (targets->n > kept)
		free(targets->target[--targets->n].name);
}

static const char held[] = "\x01held"; /* no target has such a name */

/*
 * A job that is routed again keeps its place among those with its key; it is the first, as its
 * delivery was ready.
 */
static void
enqueue(struct dispatcher *d, struct job *job, const struct event *ev)
{
	enum ordering ordering = (enum ordering)d->options->ordering;

	if (!job->keyed && ordering != ORDERING_NONE &&
		job_chain(&d->jobs, job, ordering == ORDERING_KEY ? order_key(ev) : 0))
		return;
	if (accept_holds(d, job->delivery)) {
		delivery_wait(job->delivery, INT64_MAX);
		/* at once: it must not count against the window */
		job_set_idle(&d->jobs, job, true);
	} else {
		job_make_ready(job);
	}
}

static void
hold(struct dispatcher *d, struct job *job, const struct event *ev)
{
	job_set_deliveries(&d->jobs, job, 1);
	delivery_set_target(&d->jobs, job->delivery, held);
	job->delivery->batch_max = 1;
	d->held = job->delivery->queue;
	enqueue(d, job, ev);
}

static void
route(struct dispatcher *d, struct job *job, const struct event *ev)
{
	struct err err = { .code = ERR_NONE };
	const char *only = bus_msg_header(job->msg, "Vcourier-Target");
	int routed;

	targets_clear(&d->targets);
	routed = processor_route(d->processor, d->self, ev, &d->targets, &err);
	if (routed < 0) {
		reject(d, job, "unroutable", &err);
		return;
	}
	if (only != NULL && only[0] != '\0')
		keep_only(&d->targets, only);
	if (d->targets.n == 0) {
		if (routed == ROUTE_UNSETTLED)
			hold(d, job, ev);
		else
			settle_filtered(d, job);
		return;
	}
	job_set_deliveries(&d->jobs, job, d->targets.n);
	for (size_t i = 0; i < d->targets.n; i++) {
		delivery_set_target(&d->jobs, &job->delivery[i], d->targets.target[i].name);
		job->delivery[i].batch_max = (unsigned)d->processor->batch_max;
		d->fans_out |= d->targets.target[i].name[0] != '\0';
	}
	job_set_untried(&d->jobs, job);
	enqueue(d, job, ev);
}

void
accept_wake_held(struct dispatcher *d)
{
	uint64_t version;

	if (d->held == NULL)
		return;
	version = d->processor->route_version(d->self);
	if (version != d->held_version)
		queue_wake_all(d->held);
	d->held_version = version;
}

bool
accept_holds(const struct dispatcher *d, const struct delivery *delivery)
{
	return d->held != NULL && delivery->queue == d->held;
}

void
accept_again(struct dispatcher *d, struct job *job)
{
	struct event *ev = &d->scratch[0];
	struct err err = { .code = ERR_NONE };

	job_drop_deliveries(&d->jobs, job);
	if (message_read_event(job->msg, ev, &err) != 0)
		reject(d, job, "invalid_event", &err);
	else
		route(d, job, ev);
}

/* Whether anything here depends on the event; else it is read when its turn comes (send.c). */
static bool
looks_inside(const struct dispatcher *d)
{
	return d->processor->route != NULL || d->filter.pattern != NULL ||
		d->options->ordering != ORDERING_NONE;
}

void
accept_message(struct dispatcher *d, const struct origin *origin, struct bus_msg *msg,
	const struct jetstream_meta *meta, int64_t now_ms)
{
	struct job *job = job_new(&d->jobs, origin, meta->stream_seq, msg);
	struct event *ev = &d->scratch[0];
	struct err err = { .code = ERR_NONE };

	d->more = meta->pending > 0;
	job->delivered = meta->delivered;
	job->stored_us = meta->time_us;
	job->subject_skip = origin->replay ? strlen(REPLAY_PREFIX ".") : 0;
	job->received_ms = job->touched_ms = now_ms;
	if (meta->delivered > (uint64_t)d->options->retry.max_deliveries) {
		err_set(&err, ERR_LIMIT, "given out %llu times without a verdict",
			(unsigned long long)meta->delivered - 1);
		reject(d, job, "poison", &err);
		return;
	}
	if (looks_inside(d) && message_read_event(job->msg, ev, &err) != 0) {
		reject(d, job, "invalid_event", &err);
		return;
	}
	if (!filter_passes(&d->filter, job_subject(job), ev)) {
		settle_filtered(d, job);
		return;
	}
	route(d, job, ev);
}
