// SPDX-License-Identifier: Apache-2.0
#include "body_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "jetstream.h"
#include "log.h"
#include "mem.h"

enum {
	FETCH_MS = 5 * 1000, /* for a reply */
	/*
	 * A body that is not found is requested again after 0.25 s, 0.5 s, .. 5 s, for 43 s in
	 * all.
	 */
	AGAIN_MS = 250,
	AGAIN_MAX_MS = 5 * 1000,
	AGAIN_TRIES = 12,
};

struct body_fetch {
	struct body_fetch_config config;
	char reply_prefix[192]; /* of the subjects of replies; then ".<origin>.<sequence>" */
	struct inbox_port port;
};

void
body_fetch_request(struct body_fetch *f, struct job *job, struct queue *queue, int64_t now_ms)
{
	char subject[160], reply[sizeof(f->reply_prefix) + 48], body[48];
	struct bus_out out = { .subject = subject, .reply = reply, .data = body };
	struct err err;

	job_unqueue(job);
	snprintf(subject, sizeof(subject), "%s.DIRECT.GET.%s", bus_api_prefix(f->config.bus),
		job->origin->stream);
	snprintf(reply, sizeof(reply), "%s.%zu.%llu", f->reply_prefix, job->origin->index,
		(unsigned long long)job->seq);
	out.len = (size_t)snprintf(
		body, sizeof(body), "{\"seq\":%llu}", (unsigned long long)job->seq);
	job_fetch_begin(f->config.jobs, job, queue, now_ms + FETCH_MS);
	if (bus_publish(f->config.bus, &out, &err) != 0)
		job->fetch_by_ms = now_ms; /* not connected: given back at the next turn */
}

/* When no replica has it for long, the job is given back: NATS decides what becomes of it. */
static void
not_found(struct body_fetch *f, struct job *job)
{
	if (sources_is_gone(job->origin, job->seq)) {
		log_error("event left the stream before it was delivered",
			L_STR("stream", job->origin->stream), L_INT("seq", (int64_t)job->seq));
		settle_expired(f->config.settle, job);
		return;
	}
	if (f->config.jobs->n_missing == 0)
		log_warn(
			"a replica of the stream does not find an event that waits here: trying again",
			L_STR("stream", job->origin->stream), L_INT("seq", (int64_t)job->seq));
	if (job->n_missing == AGAIN_TRIES) {
		log_warn("no replica finds an event that waits here: given back to NATS",
			L_STR("stream", job->origin->stream), L_INT("seq", (int64_t)job->seq));
		settle_give_back(f->config.settle, job);
		return;
	}
	job_fetch_again(f->config.jobs, job,
		clock_monotonic_ms() +
			backoff_ceiling(AGAIN_MS, AGAIN_MAX_MS, ++job->n_missing));
}

static void
use_body(struct body_fetch *f, struct job *job, struct bus_msg *msg)
{
	job->n_missing = 0;
	job_restore(f->config.jobs, job, msg);
	for (size_t i = 0; i < job->n_deliveries; i++)
		if (job->delivery[i].queue != NULL)
			delivery_ready_first(&job->delivery[i]);
}

static void
on_reply(void *ctx, struct bus_msg *msg, int64_t now_ms)
{
	struct body_fetch *f = ctx;
	unsigned long long seq = 0;
	int64_t stored_us;
	int status = jetstream_direct_status(msg, &stored_us);
	size_t index = SIZE_MAX;
	const struct origin *origin = NULL;
	struct job *job = NULL;

	(void)now_ms;
	/* NOLINTNEXTLINE(cert-err34-c): a number too large saturates, and names no job */
	if (sscanf(bus_msg_subject(msg) + strlen(f->reply_prefix), ".%zu.%llu", &index, &seq) ==
		2)
		origin = sources_origin(f->config.sources, index);
	if (origin != NULL)
		job = job_find(f->config.jobs, origin, seq);
	if (job == NULL || job->msg != NULL || job->fetch_by_ms == 0) {
		bus_msg_free(msg); /* too late */
		return;
	}
	/* After a power cut of NATS another event can have its sequence (checkpoint.h). */
	if (status == 0 && (stored_us == 0 || stored_us == job->stored_us)) {
		use_body(f, job, msg);
		return;
	}
	if (status == 0 || status == 404)
		not_found(f, job);
	else
		settle_give_back(f->config.settle, job);
	bus_msg_free(msg);
}

int
body_fetch_open(
	struct body_fetch **fetch, const struct body_fetch_config *config, struct err *err)
{
	struct body_fetch *f = *fetch = mem_alloc(sizeof(*f));
	char subject[sizeof(f->reply_prefix) + 4];

	f->config = *config;
	snprintf(f->reply_prefix, sizeof(f->reply_prefix), "%s.get", bus_inbox(config->bus));
	snprintf(subject, sizeof(subject), "%s.*.*", f->reply_prefix);
	f->port = (struct inbox_port){ .inbox = config->inbox, .handle = on_reply, .ctx = f };
	return bus_subscribe(config->bus, subject, inbox_put, &f->port, err);
}

void
body_fetch_close(struct body_fetch *f)
{
	free(f);
}

static void
request_again(struct body_fetch *f, struct job *job, int64_t now_ms)
{
	size_t i = 0;

	while (job->delivery[i].queue == NULL) /* one is not over, or the job would be */
		i++;
	body_fetch_request(f, job, job->delivery[i].queue, now_ms);
}

void
body_fetch_turn(struct body_fetch *f, int64_t now_ms)
{
	if (f->config.jobs->n_fetching + f->config.jobs->n_missing == 0)
		return;
	for (struct job *job = TAILQ_FIRST(&f->config.jobs->list), *next; job != NULL;
		job = next) {
		next = TAILQ_NEXT(job, link);
		if (job->msg == NULL && job->fetch_by_ms != 0 && job->fetch_by_ms <= now_ms)
			settle_give_back(f->config.settle, job);
		else if (job->again_ms != 0 && job->again_ms <= now_ms)
			request_again(f, job, now_ms);
	}
}
