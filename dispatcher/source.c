// SPDX-License-Identifier: Apache-2.0
/*
 * Pulling from one stream. A pull asks for n messages within 30 s; the server says every 2 s
 * that it lives, and mostly when it ends. Servers before 2.9.16 end one without a word, and one
 * dies with its server: so each has a deadline of its own, and silence or a reconnect ends all
 * of them.
 */
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"

enum {
	EXPIRES_MS = 30 * 1000,
	HEARTBEAT_MS = 2 * 1000,
	SILENCE_MS = 2 * HEARTBEAT_MS + 1000,
	END_MS = 2000,
	HEADERS_AGAIN_MS = 1000,
};

/*
 * It was given out too often: it becomes a dead letter, unread, also when its headers cannot be
 * read.
 */
static bool
is_poison(const struct source *s, const struct bus_msg *msg)
{
	struct jetstream_meta meta;

	return jetstream_meta_parse(bus_msg_reply(msg), &meta) &&
		meta.delivered > (uint64_t)s->d->options->retry.max_deliveries;
}

/* On a thread of the bus. */
static void
on_msg(void *source, struct bus_msg *msg)
{
	struct source *s = source;
	struct err err;

	if (jetstream_read_headers(s->d->bus, msg, &err) != 0 && !is_poison(s, msg)) {
		log_warn("headers not read: the event comes again", L_ERR(&err));
		jetstream_nak(s->d->bus, bus_msg_reply(msg), HEADERS_AGAIN_MS, &err);
		bus_msg_free(msg);
		return;
	}
	inbox_put(&s->port, msg);
}

int
source_open(struct source *s, inbox_handler *handle, struct err *err)
{
	char subject[sizeof(s->inbox) + 2];

	snprintf(s->inbox, sizeof(s->inbox), "%s.pull.%zu", bus_inbox(s->d->bus),
		s->origin.index);
	snprintf(subject, sizeof(subject), "%s.*", s->inbox);
	s->port = (struct inbox_port){ .inbox = s->d->inbox, .handle = handle, .ctx = s };
	return bus_subscribe(s->d->bus, subject, on_msg, s, err);
}

/*
 * No more messages, and what is on its way arrives. nats-server 2.9 would give what we give
 * back to our open pulls, and then lose sight of it for ackWait; it looks which pulls still
 * have somebody who waits when it is asked about the consumer.
 */
void
source_end(struct source *s)
{
	char subject[sizeof(s->inbox) + 2];
	struct consumer_info info;
	struct err err;

	snprintf(subject, sizeof(subject), "%s.*", s->inbox);
	if (bus_unsubscribe(s->d->bus, subject, END_MS, &err) != 0 ||
		jetstream_consumer_look(s->d->bus, s->stream, s->d->durable, &info, &err) != 0)
		log_debug("pulls may be open still", L_STR("stream", s->stream), L_ERR(&err));
}

/* Messages that the pulls still wait for. */
static int
asked(const struct source *s)
{
	int sum = 0;

	for (size_t i = 0; i < s->n_pulls; i++)
		sum += s->pull[i].left;
	return sum;
}

static void
drop_pull(struct source *s, size_t i)
{
	s->n_pulls--;
	memmove(&s->pull[i], &s->pull[i + 1], (s->n_pulls - i) * sizeof(s->pull[0]));
}

static void
expire_pulls(struct source *s, uint64_t generation, int64_t now_ms)
{
	uint64_t reconnects = bus_reconnects(s->d->bus);
	bool silent = s->n_pulls > 0 && now_ms - s->heard_ms > SILENCE_MS;
	bool all = silent || reconnects != s->reconnects || generation != s->pulled_generation;

	if (silent || reconnects != s->reconnects)
		stream_watch_request_check(s->watch);
	while (s->n_pulls > 0 && (all || s->pull[0].deadline_ms <= now_ms))
		drop_pull(s, 0);
	s->reconnects = reconnects;
	s->pulled_generation = generation;
}

bool
source_starves(struct source *s)
{
	struct stream_state state;

	stream_watch_state(s->watch, &state);
	return s->n_pulls == 0 && state.pending > 0 && state.ready;
}

void
source_restart(struct source *s)
{
	s->n_pulls = 0;
	stream_watch_set_requested(s->watch, 0);
	stream_watch_request_check(s->watch);
}

void
source_pull(struct source *s, size_t budget, size_t least, int64_t now_ms)
{
	char reply[sizeof(s->inbox) + 24];
	struct err err;
	struct stream_state state;
	int want;

	stream_watch_state(s->watch, &state);
	expire_pulls(s, state.generation, now_ms);
	stream_watch_set_requested(s->watch, asked(s));
	want = (int)budget - asked(s);
	if (!state.ready || !bus_connected(s->d->bus) || want <= 0 || want < (int)least ||
		s->n_pulls == PULLS_MAX)
		return;
	snprintf(reply, sizeof(reply), "%s.%llu", s->inbox, (unsigned long long)++s->last_pull);
	if (jetstream_pull(s->d->bus, s->stream, s->d->durable, reply, want, EXPIRES_MS,
		    HEARTBEAT_MS, &err) != 0)
		return; /* not connected: the reconnect asks again */
	if (s->n_pulls == 0)
		s->heard_ms = now_ms;
	s->pull[s->n_pulls++] = (struct pull){
		.id = s->last_pull, .left = want, .deadline_ms = now_ms + EXPIRES_MS + 1000
	};
}

/* A status message tells by its subject which pull it is about. */
static void
end_pull(struct source *s, const struct bus_msg *msg)
{
	const char *dot = strrchr(bus_msg_subject(msg), '.');
	uint64_t id = dot ? strtoull(dot + 1, NULL, 10) : 0;

	for (size_t i = 0; i < s->n_pulls; i++)
		if (s->pull[i].id == id) {
			drop_pull(s, i);
			return;
		}
}

static void
count_message(struct source *s)
{
	if (s->n_pulls == 0)
		return;
	if (--s->pull[0].left == 0)
		drop_pull(s, 0);
}

void
source_settled(struct source *s, const struct job *job)
{
	s->settled[job->seq % SETTLED_SLOTS] = (struct settled){ job->seq, job->stored_us };
}

static bool
was_settled(const struct source *s, const struct jetstream_meta *meta)
{
	const struct settled *slot = &s->settled[meta->stream_seq % SETTLED_SLOTS];

	return slot->seq == meta->stream_seq && slot->stored_us == meta->time_us;
}

/* The server gives out again what we have in hand: it had not heard of us for ack_wait. */
static void
take_again(struct source *s, struct job *job, struct bus_msg *msg,
	const struct jetstream_meta *meta, int64_t now_ms)
{
	free(job->reply);
	job->reply = mem_strdup(bus_msg_reply(msg));
	job->delivered = meta->delivered;
	job_touch(&s->d->jobs, job, now_ms);
	bus_msg_free(msg);
}

static bool
take_message(struct source *s, struct bus_msg *msg, struct jetstream_meta *meta, int64_t now_ms)
{
	struct job *job;
	struct err err;

	count_message(s);
	if (!jetstream_meta_parse(bus_msg_reply(msg), meta)) {
		log_warn("dropped a message that did not come from a stream",
			L_STR("subject", bus_msg_subject(msg)));
		bus_msg_free(msg);
		return false;
	}
	if (meta->delivered > 1) {
		metric_add(s->d->metrics.redelivered, 1);
		stream_watch_count_redelivery(s->watch);
	}
	job = job_find(&s->d->jobs, &s->origin, meta->stream_seq);
	if (job != NULL && job->stored_us != meta->time_us)
		job->stale = true;
	if (job != NULL && !job->stale) {
		take_again(s, job, msg, meta, now_ms);
		return false;
	}
	if (was_settled(s, meta)) { /* its ack was lost */
		jetstream_ack(s->d->bus, bus_msg_reply(msg), &err);
		bus_msg_free(msg);
		return false;
	}
	return true;
}

bool
source_take(struct source *s, struct bus_msg *msg, struct jetstream_meta *meta, int64_t now_ms)
{
	int undelivered;

	s->heard_ms = now_ms;
	switch (jetstream_pull_status(msg, &undelivered)) {
	case PULL_MESSAGE:
		stream_watch_set_requested(s->watch, 0); /* it delivers */
		return take_message(s, msg, meta, now_ms);
	case PULL_HEARTBEAT:
		break;
	case PULL_GONE:
		stream_watch_request_check(s->watch);
		end_pull(s, msg);
		break;
	case PULL_OVER:
		end_pull(s, msg);
		break;
	}
	bus_msg_free(msg);
	return false;
}
