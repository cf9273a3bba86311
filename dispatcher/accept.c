// SPDX-License-Identifier: Apache-2.0
/* A message becomes a job: is it an event, is it for us, whose turn is it, where does it go. */
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "log.h"
#include "order.h"

struct binary {
	struct event *ev;
	struct err *err;
	bool failed;
};

static void
take_header(void *ctx, const char *name, const char *value)
{
	struct binary *b = ctx;
	char attribute[64];
	struct buf text;
	size_t n;

	if (b->failed)
		return;
	if (strcasecmp(name, "content-type") == 0) {
		b->failed = event_set(b->ev, "datacontenttype", value, strlen(value), b->err) != 0;
		return;
	}
	n = strlen(name);
	if (strncasecmp(name, "ce-", 3) != 0 || n - 3 >= sizeof(attribute))
		return;
	for (size_t i = 3; i <= n; i++)
		attribute[i - 3] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	buf_init(&text, EVENT_ATTRIBUTES_BYTES_MAX);
	if (!event_decode_header_value(value, &text))
		b->failed = err_set(b->err, ERR_PROTOCOL, "header %.60s is not UTF-8", name) != 0;
	else
		b->failed = event_set(b->ev, attribute, buf_str(&text), text.len, b->err) != 0;
	buf_free(&text);
}

static void
find_specversion(void *ctx, const char *name, const char *value)
{
	(void)value;
	if (strcasecmp(name, "ce-specversion") == 0)
		*(bool *)ctx = true;
}

/*
 * The NATS binding's two modes. Binary is what carries ce-specversion and does not call itself structured;
 * https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md
 */
int
accept_read(const struct job *job, struct event *ev, struct err *err)
{
	const struct bus_msg *msg = job->msg;
	const char *type = bus_msg_header(msg, "Content-Type");
	struct binary b = { .ev = ev, .err = err };
	bool binary = false;

	if (type == NULL || strncasecmp(type, "application/cloudevents", 23) != 0)
		bus_msg_each_header(msg, find_specversion, &binary);
	if (!binary)
		return event_parse(ev, bus_msg_data(msg), bus_msg_len(msg), err);
	event_clear(ev);
	bus_msg_each_header(msg, take_header, &b);
	if (b.failed)
		return -1;
	ev->data = bus_msg_data(msg);
	ev->data_len = bus_msg_len(msg);
	return event_check(ev, err);
}

/* A job whose event cannot be sent anywhere still needs a leg, to be buried by. */
static void
reject(struct dispatcher *d, struct job *job, const char *reason, const struct err *err)
{
	job_set_legs(job, 1);
	leg_set_target(&d->jobs, job->leg, "");
	leg_explain(job->leg, 0, err->text);
	settle_dead(d, job->leg, reason);
}

void
accept_release(struct dispatcher *d, struct job *job)
{
	(void)d;
	for (size_t i = 0; i < job->n_legs; i++)
		leg_ready(&job->leg[i]);
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

static void
route(struct dispatcher *d, struct job *job, const struct event *ev)
{
	struct err err = { .code = ERR_NONE };
	enum ordering ordering = (enum ordering)d->options->ordering;
	const char *only = bus_msg_header(job->msg, "Vcourier-Target");

	targets_clear(&d->targets);
	if (processor_route(d->processor, d->self, ev, &d->targets, &err) != 0) {
		reject(d, job, "unroutable", &err);
		return;
	}
	if (only != NULL && only[0] != '\0')
		keep_only(&d->targets, only);
	if (d->targets.n == 0) {
		settle_filtered(d, job);
		return;
	}
	job_set_legs(job, d->targets.n);
	for (size_t i = 0; i < d->targets.n; i++) {
		leg_set_target(&d->jobs, &job->leg[i], d->targets.target[i].name);
		job->leg[i].batch_max = (unsigned)d->processor->batch_max;
		d->fans_out |= d->targets.target[i].name[0] != '\0';
	}
	d->n_untried++;
	if (ordering == ORDERING_NONE || !job_chain(&d->jobs, job, ordering == ORDERING_KEY ? order_key(ev) : 0))
		accept_release(d, job);
}

/* Whether anything here depends on the event; else it is read when its turn comes (send.c). */
static bool
looks_inside(const struct dispatcher *d)
{
	return d->processor->route != NULL || d->filter.pattern != NULL || d->options->ordering != ORDERING_NONE;
}

void
accept_message(struct dispatcher *d, struct source *s, struct bus_msg *msg, const struct delivery *delivery,
	int64_t now_ms)
{
	struct job *job = job_new(&d->jobs, s, delivery->stream_seq, msg);
	struct event *ev = &d->scratch[0];
	struct err err = { .code = ERR_NONE };

	d->more = delivery->pending > 0;
	job->delivered = delivery->delivered;
	job->stored_us = delivery->time_us;
	job->subject_skip = s->replay ? strlen("vcreplay.") : 0;
	job->received_ms = job->touched_ms = now_ms;
	if (delivery->delivered > (uint64_t)d->options->retry.max_deliveries) {
		err_set(&err, ERR_LIMIT, "given out %llu times without a verdict",
			(unsigned long long)delivery->delivered - 1);
		reject(d, job, "poison", &err);
		return;
	}
	if (looks_inside(d) && accept_read(job, ev, &err) != 0) {
		reject(d, job, "invalid_event", &err);
		return;
	}
	if (!filter_passes(&d->filter, job_subject(job), ev)) {
		settle_filtered(d, job);
		return;
	}
	route(d, job, ev);
}
