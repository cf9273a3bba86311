// SPDX-License-Identifier: Apache-2.0
#include "dead_letters.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "backoff.h"
#include "clock.h"
#include "dead_letter.h"
#include "jetstream.h"
#include "log.h"
#include "mem.h"
#include "status.h"

enum {
	ANSWER_MS = 5 * 1000,
	RETRY_INITIAL_MS = 500,
	RETRY_MAX_MS = 30 * 1000,
	STREAM_MS = 200, /* between checks whether the stream exists */
	/* a leader without a quorum gives up within 20 s: what it has is stored or lost */
	IN_PROCESS_MS = 30 * 1000,
};

/* One dead letter that is not confirmed yet. */
struct pending_letter {
	LIST_ENTRY(pending_letter) link;
	uint64_t id;
	struct delivery *delivery;
	struct backoff backoff;
	int64_t due_ms;               /* when to publish it (again) */
	struct dead_letter_form form; /* bare: the server refused it with headers and body */
	int64_t in_process_ms; /* since when the server says so of its id; 0: it does not */
};

struct dead_letters {
	struct dead_letters_config config;
	LIST_HEAD(, pending_letter) pending;
	uint64_t last_id;
	bool failing;
	char reply_prefix[192]; /* of the subjects that confirmations come to; then ".<id>" */
	struct inbox_port port;
	atomic_bool stream_ready;
};

static int
publish(struct dead_letters *l, struct pending_letter *b, struct err *err)
{
	const struct dead_letter_from from = { .dispatcher = l->config.dispatcher,
		.durable = l->config.durable,
		.prefix = l->config.prefix,
		.streams = l->config.streams,
		.max_payload = bus_max_payload(l->config.bus) };
	char reply[sizeof(l->reply_prefix) + 24];
	struct dead_letter letter;
	int failed;

	dead_letter_write(&letter, &from, b->delivery, &b->form);
	snprintf(reply, sizeof(reply), "%s.%llu", l->reply_prefix, (unsigned long long)b->id);
	letter.out.reply = reply;
	failed = bus_publish(l->config.bus, &letter.out, err);
	dead_letter_free(&letter);
	return failed;
}

static void
fail(struct dead_letters *l, struct pending_letter *b, const char *why, int64_t now_ms)
{
	status_check("dead-letters", false, why); /* before the line that sends someone there */
	if (!l->failing)
		log_error("dead letter not stored: deliveries pause",
			L_STR("stream", l->config.stream), L_STR("error", why));
	l->failing = true;
	b->due_ms = now_ms + backoff_next(&b->backoff);
	b->form.bare = false; /* the stream may accept it whole once it is back */
}

/* True: publish it at once, bare, because this dead letter is at fault and not the stream. */
static bool
strip(struct pending_letter *b, const char *why)
{
	if (b->form.bare)
		return false;
	log_warn("dead letter refused by NATS: stored without headers and body",
		L_STR("stream", b->delivery->job->origin->stream),
		L_INT("seq", (int64_t)b->delivery->job->seq), L_STR("error", why));
	b->form.bare = true;
	return true;
}

static void
try_to_publish(struct dead_letters *l, struct pending_letter *b, int64_t now_ms)
{
	struct err err = { .code = ERR_NONE };
	int failed;

	if (!atomic_load(&l->stream_ready)) {
		/* the watcher creates the stream, or logs why it cannot */
		b->due_ms = now_ms + STREAM_MS;
		return;
	}
	failed = publish(l, b, &err);
	if (failed && err.code != ERR_CONNECT && strip(b, err.text))
		failed = publish(l, b, &err);
	if (!failed)
		b->due_ms = now_ms + ANSWER_MS;
	else if (err.code == ERR_CONNECT)
		b->due_ms = now_ms + backoff_next(&b->backoff);
	else
		fail(l, b, err.text, now_ms);
}

void
dead_letters_store(struct dead_letters *l, struct delivery *delivery)
{
	struct pending_letter *b = mem_alloc(sizeof(*b));
	int64_t now_ms = clock_monotonic_ms();

	b->id = ++l->last_id;
	b->delivery = delivery;
	backoff_init(&b->backoff, RETRY_INITIAL_MS, RETRY_MAX_MS, b->id);
	LIST_INSERT_HEAD(&l->pending, b, link);
	try_to_publish(l, b, now_ms);
}

static void
take_new_id(struct pending_letter *b)
{
	b->form.ids_refused++;
	b->in_process_ms = 0;
}

/*
 * A message with this id waits for the other servers, or the server refused it earlier and
 * still remembers the id (JS_ERR_ID_IN_PROCESS). After IN_PROCESS_MS it was refused.
 */
static void
in_process(struct dead_letters *l, struct pending_letter *b, int64_t now_ms)
{
	if (b->in_process_ms == 0)
		b->in_process_ms = now_ms;
	if (now_ms - b->in_process_ms >= IN_PROCESS_MS) {
		take_new_id(b);
		try_to_publish(l, b, now_ms);
	} else {
		b->due_ms = now_ms + RETRY_INITIAL_MS;
	}
}

static void
read_refusal(struct dead_letters *l, struct pending_letter *b, const struct pub_ack *answer,
	int64_t now_ms)
{
	/* when that is so for the bare one, too, the stream is gone */
	bool no_stream = answer->error_code == JS_ERR_NO_STREAM;

	if (answer->error_code == JS_ERR_ID_IN_PROCESS) {
		in_process(l, b, now_ms);
		return;
	}
	if ((no_stream || jetstream_pub_ack_refuses(answer)) && strip(b, answer->error)) {
		try_to_publish(l, b, now_ms);
		return;
	}
	if (no_stream)
		atomic_store(&l->stream_ready, false);
	/* the server looked for the id before: no message with it is stored */
	if (answer->error_code == JS_ERR_STORE_FAILED)
		take_new_id(b);
	fail(l, b, answer->error, now_ms);
}

static void
read_answer(struct dead_letters *l, const struct bus_msg *msg, int64_t now_ms)
{
	const char *dot = strrchr(bus_msg_subject(msg), '.');
	uint64_t id = dot ? strtoull(dot + 1, NULL, 10) : 0;
	struct pending_letter *b;
	struct pub_ack answer;

	LIST_FOREACH(b, &l->pending, link)
		if (b->id == id)
			break;
	if (b == NULL)
		return; /* it was confirmed before */
	if (!jetstream_pub_ack_parse(msg, &answer)) {
		fail(l, b, "the server's reply is not a PubAck", now_ms);
		return;
	}
	if (answer.error_code != 0) {
		read_refusal(l, b, &answer, now_ms);
		return;
	}
	status_check("dead-letters", true, "");
	if (l->failing)
		log_info("dead letters are stored again");
	l->failing = false;
	LIST_REMOVE(b, link);
	l->config.on_stored(l->config.ctx, b->delivery);
	free(b);
}

static void
on_answer(void *ctx, struct bus_msg *msg, int64_t now_ms)
{
	read_answer(ctx, msg, now_ms);
	bus_msg_free(msg);
}

int
dead_letters_open(struct dead_letters **letters, const struct dead_letters_config *config,
	struct err *err)
{
	struct dead_letters *l = *letters = mem_alloc(sizeof(*l));
	char subject[sizeof(l->reply_prefix) + 2];

	l->config = *config;
	LIST_INIT(&l->pending);
	snprintf(l->reply_prefix, sizeof(l->reply_prefix), "%s.dead", bus_inbox(config->bus));
	snprintf(subject, sizeof(subject), "%s.*", l->reply_prefix);
	l->port = (struct inbox_port){ .inbox = config->inbox, .handle = on_answer, .ctx = l };
	return bus_subscribe(config->bus, subject, inbox_put, &l->port, err);
}

void
dead_letters_close(struct dead_letters *l)
{
	struct pending_letter *b;

	if (l == NULL)
		return;
	while ((b = LIST_FIRST(&l->pending)) != NULL) {
		LIST_REMOVE(b, link);
		free(b);
	}
	free(l);
}

void
dead_letters_turn(struct dead_letters *l, int64_t now_ms)
{
	struct pending_letter *b;

	LIST_FOREACH(b, &l->pending, link)
		if (b->due_ms <= now_ms)
			try_to_publish(l, b, now_ms);
}

bool
dead_letters_failing(const struct dead_letters *l)
{
	return l->failing;
}

bool
dead_letters_busy(const struct dead_letters *l)
{
	return !LIST_EMPTY(&l->pending);
}

bool
dead_letters_want_stream(const struct dead_letters *l)
{
	return !atomic_load(&l->stream_ready);
}

void
dead_letters_stream_ready(struct dead_letters *l)
{
	atomic_store(&l->stream_ready, true);
}
