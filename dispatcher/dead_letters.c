// SPDX-License-Identifier: Apache-2.0
/*
 * Dead letters on their way into their stream. Each is published like any event, with an id
 * that makes a second copy of it a duplicate, and only when the server has confirmed it is the
 * original settled.
 */
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dead_letter.h"
#include "log.h"
#include "mem.h"
#include "status.h"

enum {
	ANSWER_MS = 5 * 1000,
	RETRY_MAX_MS = 30 * 1000,
};

/* One dead letter that is not confirmed yet. */
struct pending_letter {
	struct pending_letter *next;
	uint64_t id;
	struct delivery *delivery;
	struct backoff backoff;
	int64_t due_ms; /* when to publish it (again) */
	bool bare;      /* the server refused it as it was, whatever room it has */
};

static int
publish(struct dispatcher *d, struct pending_letter *b, struct err *err)
{
	const struct dead_letter_from from = { .dispatcher = d->config->name,
		.durable = d->durable,
		.prefix = d->config->prefix,
		.max_payload = bus_max_payload(d->bus) };
	char reply[sizeof(d->dead_inbox) + 24];
	struct dead_letter letter;
	int failed;

	dead_letter_write(&letter, &from, b->delivery, b->bare);
	snprintf(reply, sizeof(reply), "%s.%llu", d->dead_inbox, (unsigned long long)b->id);
	letter.out.reply = reply;
	failed = bus_publish(d->bus, &letter.out, err);
	dead_letter_free(&letter);
	return failed;
}

/* Until dead letters can be stored again nothing is sent: where would a failed one go? */
static void
fail(struct dispatcher *d, struct pending_letter *b, const char *why, int64_t now_ms)
{
	if (!d->dead_letters_fail)
		log_error("dead letter not stored: deliveries pause",
			L_STR("stream", d->config->dead_stream->name), L_STR("error", why));
	d->dead_letters_fail = true;
	status_check("dead-letters", false, why);
	b->due_ms = now_ms + backoff_next(&b->backoff);
	b->bare = false; /* what is not there now may take it whole */
}

/* True when it is to be published at once, bare: this letter is at fault, not the stream. */
static bool
strip(struct pending_letter *b, const char *why)
{
	if (b->bare)
		return false;
	log_warn("dead letter refused by NATS: stored without headers and body",
		L_STR("stream", b->delivery->job->source->stream),
		L_INT("seq", (int64_t)b->delivery->job->seq), L_STR("error", why));
	b->bare = true;
	return true;
}

static void
try_to_publish(struct dispatcher *d, struct pending_letter *b, int64_t now_ms)
{
	struct err err = { .code = ERR_NONE };
	int failed;

	if (!atomic_load(&d->dead_ready)) {
		/* the watcher makes the stream, or says why it cannot */
		b->due_ms = now_ms + 200;
		return;
	}
	failed = publish(d, b, &err);
	if (failed && err.code != ERR_CONNECT && strip(b, err.text))
		failed = publish(d, b, &err);
	if (!failed)
		b->due_ms = now_ms + ANSWER_MS;
	else if (err.code == ERR_CONNECT)
		b->due_ms = now_ms + backoff_next(&b->backoff);
	else
		fail(d, b, err.text, now_ms);
}

void
dead_letters_store(struct dispatcher *d, struct delivery *delivery)
{
	struct pending_letter *b = mem_alloc(sizeof(*b));
	int64_t now_ms = clock_monotonic_ms();

	b->id = ++d->last_letter;
	b->delivery = delivery;
	backoff_init(&b->backoff, 500, RETRY_MAX_MS, b->id);
	b->next = d->pending_letters;
	d->pending_letters = b;
	try_to_publish(d, b, now_ms);
}

static void
read_answer(struct dispatcher *d, const struct bus_msg *msg, int64_t now_ms)
{
	const char *dot = strrchr(bus_msg_subject(msg), '.');
	uint64_t id = dot ? strtoull(dot + 1, NULL, 10) : 0;
	struct pending_letter **p = &d->pending_letters, *b;
	struct pub_ack answer;

	while (*p != NULL && (*p)->id != id)
		p = &(*p)->next;
	if ((b = *p) == NULL)
		return; /* answered before */
	if (!jetstream_pub_ack_parse(msg, &answer)) {
		fail(d, b, "the server's answer is no PubAck", now_ms);
		return;
	}
	if (answer.error_code != 0) {
		/* when no stream has the subject of the bare one either, the stream is gone */
		bool no_stream = answer.error_code == JS_ERR_NO_STREAM;

		if ((no_stream || jetstream_pub_ack_refuses(&answer)) &&
			strip(b, answer.error)) {
			try_to_publish(d, b, now_ms);
			return;
		}
		if (no_stream)
			atomic_store(&d->dead_ready, false);
		fail(d, b, answer.error, now_ms);
		return;
	}
	if (d->dead_letters_fail)
		log_info("dead letters are stored again");
	d->dead_letters_fail = false;
	status_check("dead-letters", true, "");
	*p = b->next;
	d->on_stored(d->on_stored_ctx, b->delivery);
	free(b);
}

static void
on_answer(void *ctx, struct bus_msg *msg, int64_t now_ms)
{
	read_answer(ctx, msg, now_ms);
	bus_msg_free(msg);
}

int
dead_letters_open(struct dispatcher *d, delivery_fn *on_stored, void *ctx, struct err *err)
{
	char subject[sizeof(d->dead_inbox) + 2];

	d->on_stored = on_stored;
	d->on_stored_ctx = ctx;
	snprintf(d->dead_inbox, sizeof(d->dead_inbox), "%s.dead", bus_inbox(d->bus));
	snprintf(subject, sizeof(subject), "%s.*", d->dead_inbox);
	d->dead_port = (struct inbox_port){ .inbox = d->inbox, .handle = on_answer, .ctx = d };
	return bus_subscribe(d->bus, subject, inbox_put, &d->dead_port, err);
}

void
dead_letters_turn(struct dispatcher *d, int64_t now_ms)
{
	for (struct pending_letter *b = d->pending_letters; b != NULL; b = b->next)
		if (b->due_ms <= now_ms)
			try_to_publish(d, b, now_ms);
}

void
dead_letters_close(struct dispatcher *d)
{
	while (d->pending_letters != NULL) {
		struct pending_letter *b = d->pending_letters;

		d->pending_letters = b->next;
		free(b);
	}
}
