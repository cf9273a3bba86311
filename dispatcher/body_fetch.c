// SPDX-License-Identifier: Apache-2.0
/*
 * Room for the others: when what is in hand waits for targets that are down or slow, and so
 * fills the window, its bodies are let go. What is left of such a job is small: where it goes,
 * what was tried, when it is due. The stream keeps the body, and it is fetched again when the
 * job's turn comes.
 */
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "log.h"
#include "mem.h"

enum {
	PARKED_MAX = 8 * 1024,
	SOON_MS = 1000,
	FETCH_MS = 5 * 1000,
	/*
	 * a body that is not found: asked for again after 0.25 s, 0.5 s, .. 5 s, for 43 s in
	 * all
	 */
	AGAIN_MS = 250,
	AGAIN_MAX_MS = 5 * 1000,
	AGAIN_TRIES = 12,
};

/* This delivery will not go out soon. */
static bool
stuck(const struct delivery *delivery, int64_t now_ms)
{
	if (delivery->state == DELIVERY_WAITING)
		return delivery->queue->circuit.state == CIRCUIT_OPEN ||
			delivery->due_ms > now_ms + SOON_MS;
	return delivery->state == DELIVERY_READY &&
		(delivery->queue->circuit.state == CIRCUIT_OPEN ||
			delivery->queue->n_ready > 16);
}

static bool
can_park(const struct job *job, int64_t now_ms)
{
	/* beside many deliveries its body is small: it stays, and counts as a backlog */
	if (job->msg == NULL || job->delivery_bytes > bus_msg_len(job->msg) || job->keyed ||
		job->stale || bus_msg_has_own_headers(job->msg))
		return false;
	for (size_t i = 0; i < job->n_deliveries; i++)
		if (job->delivery[i].queue != NULL && !stuck(&job->delivery[i], now_ms))
			return false;
	return true;
}

/* Only when the window is full and requests could go out all the same. */
void
body_fetch_turn(struct dispatcher *d, size_t window, int64_t now_ms)
{
	size_t held = d->jobs.n - d->jobs.n_evicted;
	bool full = held >= window || d->jobs.bytes >= (size_t)d->options->buffer_bytes;

	if (!full || d->in_flight >= (size_t)d->options->concurrency ||
		d->destination.state == CIRCUIT_OPEN ||
		(!d->fans_out && d->jobs.ring != NULL &&
			d->jobs.ring->circuit.state == CIRCUIT_OPEN))
		return;
	for (struct job *job = d->jobs.newest; job != NULL && held > window / 2;
		job = job->prev) {
		if (d->jobs.n_evicted >= PARKED_MAX)
			break;
		if (!can_park(job, now_ms))
			continue;
		job_evict(&d->jobs, job);
		job_set_tried(&d->jobs, job); /* a probe wants an event whose body is here */
		held--;
	}
}

/* Asks the stream for the body; the deliveries wait meanwhile, in no queue. */
void
body_fetch_request(struct dispatcher *d, struct job *job, struct queue *queue, int64_t now_ms)
{
	char subject[160], reply[sizeof(d->get_inbox) + 48], body[48];
	struct bus_out out = { .subject = subject, .reply = reply, .data = body };
	struct err err;

	job_unqueue(job);
	snprintf(subject, sizeof(subject), "%s.DIRECT.GET.%s", bus_api_prefix(d->bus),
		job->origin->stream);
	snprintf(reply, sizeof(reply), "%s.%zu.%llu", d->get_inbox, job->origin->index,
		(unsigned long long)job->seq);
	out.len = (size_t)snprintf(
		body, sizeof(body), "{\"seq\":%llu}", (unsigned long long)job->seq);
	job_fetch_begin(&d->jobs, job, queue, now_ms + FETCH_MS);
	if (bus_publish(d->bus, &out, &err) != 0)
		job->fetch_by_ms = now_ms; /* not connected: given back at the next look */
}

/* No body came: the server gives the event out again, to us or to another one. */
static void
give_back(struct dispatcher *d, struct job *job)
{
	struct err err;

	jetstream_nak(d->bus, job->reply, 0, &err);
	settle_drop(d, job);
}

/*
 * Any replica may answer, also one that is behind: the event has left the stream only when the
 * stream's leader says so. Until then the body is asked for again; when no replica has it for
 * long, the server decides what comes of it.
 */
static void
not_found(struct dispatcher *d, struct job *job)
{
	if (sources_is_gone(d->sources, job->origin, job->seq)) {
		log_error("event left the stream before it was delivered",
			L_STR("stream", job->origin->stream), L_INT("seq", (int64_t)job->seq));
		settle_expired(d, job);
		return;
	}
	if (d->jobs.n_missing == 0)
		log_warn(
			"a replica of the stream does not find an event that waits here: asking again",
			L_STR("stream", job->origin->stream), L_INT("seq", (int64_t)job->seq));
	if (job->n_missing == AGAIN_TRIES) {
		log_warn("no replica finds an event that waits here: given back to NATS",
			L_STR("stream", job->origin->stream), L_INT("seq", (int64_t)job->seq));
		give_back(d, job);
		return;
	}
	job_fetch_again(&d->jobs, job,
		clock_monotonic_ms() +
			backoff_ceiling(AGAIN_MS, AGAIN_MAX_MS, ++job->n_missing));
}

static void
go_on(struct dispatcher *d, struct job *job, struct bus_msg *msg)
{
	job->n_missing = 0;
	job_restore(&d->jobs, job, msg);
	for (size_t i = 0; i < job->n_deliveries; i++)
		if (job->delivery[i].queue != NULL)
			delivery_ready_first(&job->delivery[i]);
}

static void
on_answer(void *ctx, struct bus_msg *msg, int64_t now_ms)
{
	struct dispatcher *d = ctx;
	unsigned long long seq = 0;
	int64_t stored_us;
	int status = jetstream_direct_status(msg, &stored_us);
	size_t index;
	const struct origin *origin = NULL;
	struct job *job = NULL;

	(void)now_ms;
	if (sscanf(bus_msg_subject(msg) + strlen(d->get_inbox), ".%zu.%llu", &index, &seq) == 2)
		origin = sources_origin(d->sources, index);
	if (origin != NULL)
		job = job_find(&d->jobs, origin, seq);
	if (job == NULL || job->stale || job->msg != NULL || job->fetch_by_ms == 0) {
		bus_msg_free(msg); /* too late */
		return;
	}
	/*
	 * after a power cut of NATS another event can have its sequence; checkpoint.c finds
	 * that out
	 */
	if (status == 0 && (stored_us == 0 || stored_us == job->stored_us)) {
		go_on(d, job, msg);
		return;
	}
	if (status == 0 || status == 404)
		not_found(d, job);
	else
		give_back(d, job);
	bus_msg_free(msg);
}

int
body_fetch_open(struct dispatcher *d, struct err *err)
{
	char subject[sizeof(d->get_inbox) + 4];

	snprintf(d->get_inbox, sizeof(d->get_inbox), "%s.get", bus_inbox(d->bus));
	snprintf(subject, sizeof(subject), "%s.*.*", d->get_inbox);
	d->get_port = (struct inbox_port){ .inbox = d->inbox, .handle = on_answer, .ctx = d };
	return bus_subscribe(d->bus, subject, inbox_put, &d->get_port, err);
}

static void
ask_again(struct dispatcher *d, struct job *job, int64_t now_ms)
{
	size_t i = 0;

	while (job->delivery[i].queue == NULL) /* one is open, or the job would be over */
		i++;
	body_fetch_request(d, job, job->delivery[i].queue, now_ms);
}

void
body_fetch_expire(struct dispatcher *d, int64_t now_ms)
{
	if (d->jobs.n_fetching + d->jobs.n_missing == 0)
		return;
	for (struct job *job = d->jobs.oldest, *next; job != NULL; job = next) {
		next = job->next;
		if (job->msg == NULL && job->fetch_by_ms != 0 && job->fetch_by_ms <= now_ms)
			give_back(d, job);
		else if (job->again_ms != 0 && job->again_ms <= now_ms)
			ask_again(d, job, now_ms);
	}
}
