// SPDX-License-Identifier: Apache-2.0
#include "accept.h"

#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "log.h"
#include "mem.h"
#include "message.h"
#include "order.h"
#include "protocol.h"

struct accept {
	struct accept_config config;
	struct filters filters;
	uint64_t filters_version; /* of the streams that they are for */
	struct event event;       /* the one that was read last */
	struct targets targets;
	struct queue *held;    /* of events without a target; NULL: there were none */
	uint64_t held_version; /* the route_version that they were routed with */
};

int
accept_open(struct accept **accept, const struct accept_config *config, struct err *err)
{
	struct accept *a = *accept = mem_alloc(sizeof(*a));

	a->config = *config;
	a->filters_version = config->streams->version;
	event_init(&a->event);
	return filters_open(&a->filters, &config->options->filter, config->streams, err);
}

void
accept_close(struct accept *a)
{
	if (a == NULL)
		return;
	event_free(&a->event);
	targets_free(&a->targets);
	filters_close(&a->filters);
	free(a);
}

/* Other streams have other filters. */
static void
follow_streams(struct accept *a)
{
	const struct accept_config *config = &a->config;
	struct filters filters;
	struct err err;

	if (a->filters_version == config->streams->version)
		return;
	a->filters_version = config->streams->version;
	if (filters_open(&filters, &config->options->filter, config->streams, &err) != 0) {
		log_error("the filters stay as they were", L_ERR(&err)); /* all were checked */
		filters_close(&filters);
		return;
	}
	filters_close(&a->filters);
	a->filters = filters;
}

/* The event cannot be sent anywhere. Its dead letter needs a delivery all the same. */
static void
reject(struct accept *a, struct job *job, const char *reason, const struct err *err)
{
	job_set_deliveries(a->config.jobs, job, 1);
	delivery_set_target(a->config.jobs, job->delivery, "");
	delivery_explain(job->delivery, 0, err->text);
	settle_dead(a->config.settle, job->delivery, reason);
}

/* An event of a replay or a redrive may be for one of the targets only. */
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
enqueue(struct accept *a, struct job *job, const struct event *ev)
{
	enum ordering ordering = (enum ordering)a->config.options->ordering;

	if (!job->keyed && ordering != ORDERING_NONE &&
		job_chain(a->config.jobs, job, ordering == ORDERING_KEY ? order_key(ev) : 0))
		return;
	if (accept_holds(a, job->delivery)) {
		delivery_wait(job->delivery, INT64_MAX);
		/* at once: it must not count against the window */
		job_set_idle(a->config.jobs, job, true);
	} else {
		job_make_ready(job);
	}
}

static void
hold(struct accept *a, struct job *job, const struct event *ev)
{
	job_set_deliveries(a->config.jobs, job, 1);
	delivery_set_target(a->config.jobs, job->delivery, held);
	job->delivery->batch_max = 1;
	a->held = job->delivery->queue;
	enqueue(a, job, ev);
}

static void
route(struct accept *a, struct job *job, const struct event *ev)
{
	struct err err = { .code = ERR_NONE };
	const char *only = bus_msg_header(job->msg, HEADER_TARGET);
	int routed;

	targets_clear(&a->targets);
	routed = processor_route(a->config.processor, a->config.self, ev, &a->targets, &err);
	if (routed < 0) {
		reject(a, job, "unroutable", &err);
		return;
	}
	if (only != NULL && only[0] != '\0')
		keep_only(&a->targets, only);
	if (a->targets.n == 0) {
		if (routed == ROUTE_UNSETTLED)
			hold(a, job, ev);
		else
			settle_filtered(a->config.settle, job);
		return;
	}
	job_set_deliveries(a->config.jobs, job, a->targets.n);
	for (size_t i = 0; i < a->targets.n; i++) {
		delivery_set_target(
			a->config.jobs, &job->delivery[i], a->targets.target[i].name);
		job->delivery[i].batch_max = (unsigned)a->config.processor->batch_max;
		a->config.jobs->fans_out |= a->targets.target[i].name[0] != '\0';
	}
	job_set_untried(a->config.jobs, job);
	enqueue(a, job, ev);
}

void
accept_wake_held(struct accept *a)
{
	uint64_t version;

	if (a->held == NULL)
		return;
	version = a->config.processor->route_version(a->config.self);
	if (version != a->held_version)
		delivery_wake_all(a->held);
	a->held_version = version;
}

bool
accept_holds(const struct accept *a, const struct delivery *delivery)
{
	return a->held != NULL && delivery->queue == a->held;
}

void
accept_again(struct accept *a, struct job *job)
{
	struct event *ev = &a->event;
	struct err err = { .code = ERR_NONE };

	job_drop_deliveries(a->config.jobs, job);
	if (message_read_event(job->msg, ev, &err) != 0)
		reject(a, job, "invalid_event", &err);
	else
		route(a, job, ev);
}

/* True when routing depends on the event. Else the event is read only when it is sent. */
static bool
looks_inside(const struct accept *a)
{
	return a->config.processor->route != NULL || a->filters.any_pattern ||
		a->config.options->ordering != ORDERING_NONE;
}

void
accept_message(struct accept *a, const struct origin *origin, struct bus_msg *msg,
	const struct jetstream_meta *meta, int64_t now_ms)
{
	struct job *job = job_new(a->config.jobs, origin, meta->stream_seq, msg);
	struct event *ev = &a->event;
	struct err err = { .code = ERR_NONE };

	job->delivered = meta->delivered;
	job->stored_us = meta->time_us;
	job->received_ms = job->touched_ms = now_ms;
	follow_streams(a);
	if (meta->delivered > (uint64_t)a->config.options->retry.max_deliveries) {
		err_set(&err, ERR_LIMIT, "given out %llu times without a verdict",
			(unsigned long long)meta->delivered - 1);
		reject(a, job, "poison", &err);
		return;
	}
	if (looks_inside(a) && message_read_event(job->msg, ev, &err) != 0) {
		reject(a, job, "invalid_event", &err);
		return;
	}
	if (!filters_pass(&a->filters, job_subject(job), ev)) {
		settle_filtered(a->config.settle, job);
		return;
	}
	route(a, job, ev);
}

bool
accept_has_queue(const struct accept *a)
{
	return a->held != NULL;
}

size_t
accept_n_held(const struct accept *a)
{
	return a->held != NULL ? a->held->deliveries : 0;
}

bool
accept_wants(struct accept *a, const struct event *ev, const char *target)
{
	struct err err;

	targets_clear(&a->targets);
	if (processor_route(a->config.processor, a->config.self, ev, &a->targets, &err) != 0)
		return true;
	for (size_t i = 0; i < a->targets.n; i++)
		if (strcmp(a->targets.target[i].name, target) == 0)
			return true;
	return false;
}
