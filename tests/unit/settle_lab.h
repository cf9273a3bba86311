// SPDX-License-Identifier: Apache-2.0
/*
 * Events that a dispatcher holds, and what settles them, without a bus and without a clock: the
 * linker replaces the functions at the end of this file (settle_lab in the Makefile). What
 * would go to NATS is written to a text, and a test says when the server has stored a dead
 * letter. All else is the product.
 */
#ifndef VCOURIER_TEST_SETTLE_LAB_H
#define VCOURIER_TEST_SETTLE_LAB_H

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "bus_private.h"
#include "clock.h"
#include "dead_letters.h"
#include "log.h"
#include "mem.h"
#include "nats.h"
#include "protocol.h"
#include "settle.h"

enum {
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	HOUR = 60 * MINUTE,
	LAB_START_MS = 1000 * SECOND, /* of both clocks */
	LAB_BODY_MAX = 2048,
	LAB_LETTERS_MAX = 512,
	LAB_SUBSCRIPTIONS_MAX = 4,
};

struct lab_subscription {
	char subject[64]; /* without the wildcards at its end */
	bus_on_msg *on_msg;
	void *ctx;
};

static struct settle_lab {
	struct bus bus; /* its API prefix and its inbox; nothing else of it is used */
	struct jobs jobs;
	struct dispatch_options options;
	struct dispatcher_metrics metrics;
	struct inbox *inbox;
	struct dead_letters *letters;
	struct settle *settle;
	int64_t now_ms;
	bool disconnected;
	unsigned batch_max; /* of new deliveries */

	struct buf said; /* what went to NATS: "subject data" with ", " between two */
	char letter[LAB_LETTERS_MAX][64]; /* where NATS is to confirm that it is stored */
	size_t n_letters;
	struct lab_subscription subscription[LAB_SUBSCRIPTIONS_MAX];
	size_t n_subscriptions;
	const struct job *noted; /* its ack was announced by on_ack, and is not sent yet */
	unsigned refreshes;      /* that were asked for */
	size_t flushed;          /* deliveries that ack_flush was told of */
	bool has_sink;
	struct delivery *sunk; /* its dead letter is on its way to the sink */
} lab;

static const struct origin lab_origin = { .index = 3, .stream = "VC_lab" },
			   lab_other = { .index = 4, .stream = "VC_other" };

/* Compares what went to NATS since the last time. */
#define assert_said(want) \
	do { \
		assert_string_equal(buf_str(&lab.said), want); \
		buf_clear(&lab.said); \
	} while (0)

static inline void
lab_on_ack(void *ctx, const struct job *job)
{
	(void)ctx;
	lab.noted = job;
}

/* Setup of a test. The options are the defaults of docs/configuration.md. */
static inline int
lab_open(void **state)
{
	static char inbox[] = "_INBOX_lab.1";
	static const struct event_streams no_streams;
	static unsigned n; /* the series of each test have a label of their own */
	char backend[16];
	struct settle_config settle = { .bus = &lab.bus,
		.jobs = &lab.jobs,
		.metrics = &lab.metrics,
		.options = &lab.options,
		.on_ack = lab_on_ack };
	struct dead_letters_config letters = { .bus = &lab.bus,
		.stream = DEAD_STREAM,
		.dispatcher = "d",
		.durable = "d",
		.prefix = "vc",
		.streams = &no_streams,
		.on_stored = settle_stored };
	struct err err;

	(void)state;
	log_init(LOG_ERROR, LOG_LOGFMT, "dispatcher", "d");
	lab = (struct settle_lab){ .now_ms = LAB_START_MS,
		.batch_max = 1,
		.bus = { .options = { .api_prefix = "$JS.API" }, .inbox = inbox },
		.options = { .concurrency = 64,
			.timeout_ms = 30 * SECOND,
			.ack_wait_ms = MINUTE,
			.buffer_bytes = 32 << 20,
			.retry = { .max_age_ms = 24 * HOUR,
				.initial_ms = SECOND,
				.max_ms = 5 * MINUTE,
				.retry_after_max_ms = 10 * MINUTE,
				.reject_grace_ms = MINUTE,
				.count = -1 } } };
	buf_init(&lab.said, 1 << 20);
	snprintf(backend, sizeof(backend), "%u", n++);
	dispatcher_metrics_init(&lab.metrics, backend);
	jobs_init(&lab.jobs, lab.options.retry.initial_ms, lab.options.retry.max_ms, n);
	letters.inbox = lab.inbox = inbox_open(NULL); /* nothing waits for it */
	letters.ctx = lab.settle = settle_open(&settle);
	assert_int_equal(dead_letters_open(&lab.letters, &letters, &err), 0);
	dead_letters_stream_ready(lab.letters);
	settle_use(lab.settle, lab.letters, NULL);
	return 0;
}

static inline int
lab_close(void **state)
{
	(void)state;
	settle_close(lab.settle);
	inbox_stop(lab.inbox);
	inbox_close(lab.inbox);
	dead_letters_close(lab.letters);
	jobs_free(&lab.jobs);
	buf_free(&lab.said);
	bus_destroy_messages();
	return 0;
}

/* ---- events */

/* The event `seq`, at least so long. */
static inline struct bus_msg *
lab_event(const char *subject, const char *reply, uint64_t seq, size_t len)
{
	struct bus_msg *msg = mem_alloc(sizeof(*msg));
	char data[LAB_BODY_MAX];
	size_t n = (size_t)snprintf(data, sizeof(data),
		"{\"specversion\":\"1.0\",\"id\":\"%llu\",\"source\":\"lab\",\"type\":\"t\",\"data\":\"",
		(unsigned long long)seq);

	assert_true(len < sizeof(data));
	while (n + 2 < len)
		data[n++] = 'x';
	data[n++] = '"';
	data[n++] = '}';
	assert_int_equal(natsMsg_Create(&msg->msg, subject, reply, data, (int)n), NATS_OK);
	return msg;
}

static inline int64_t
lab_stored_us(uint64_t seq)
{
	return 1700000000000000 + (int64_t)seq * 1000000;
}

/*
 * A new job: the event `seq` of this stream for these targets, names with a blank between two.
 * Its deliveries are in their queues, and its ack goes to "ack.<seq>".
 */
static inline struct job *
lab_job_of(const struct origin *origin, uint64_t seq, const char *targets, size_t len)
{
	char subject[32], reply[32], names[256], *rest = names;
	struct job *job;
	size_t n = 1;

	snprintf(subject, sizeof(subject), "vc.lab.%llu", (unsigned long long)seq);
	snprintf(reply, sizeof(reply), "ack.%llu", (unsigned long long)seq);
	snprintf(names, sizeof(names), "%s", targets);
	for (const char *p = targets; *p != '\0'; p++)
		n += *p == ' ';
	job = job_new(&lab.jobs, origin, seq, lab_event(subject, reply, seq, len));
	job->stored_us = lab_stored_us(seq);
	job->received_ms = job->touched_ms = lab.now_ms;
	job->delivered = 1;
	job_set_deliveries(&lab.jobs, job, n);
	for (size_t i = 0; i < n; i++) {
		char *name = rest;

		job->delivery[i].batch_max = lab.batch_max;
		rest += strcspn(rest, " ");
		if (*rest != '\0')
			*rest++ = '\0';
		delivery_set_target(&lab.jobs, &job->delivery[i], name);
	}
	job_make_ready(job);
	return job;
}

static inline struct job *
lab_job(uint64_t seq, const char *targets)
{
	return lab_job_of(&lab_origin, seq, targets, 0);
}

/* ---- what happens to them */

/* As deliver_fill does it. */
static inline void
lab_send(struct delivery *delivery)
{
	delivery_take(delivery);
	delivery->sent_ms = lab.now_ms;
	delivery->state = DELIVERY_IN_FLIGHT;
}

/* The destination answers; 0: it does not. */
static inline void
lab_reply(struct delivery *delivery, int status)
{
	struct http_response rsp = { .error = status == 0 ? ERR_TIMEOUT : ERR_NONE,
		.status = status,
		.body = "",
		.headers = "",
		.retry_after_ms = -1 };
	struct outcome outcome = { .verdict = VERDICT_RETRY };

	rsp.why.code = rsp.error;
	http_outcome(&rsp, &outcome);
	settle_outcome(lab.settle, delivery, &outcome, false);
}

/* The circuit of this target opens: it has failed events that are no jobs any more. */
static inline void
lab_pause(const char *target)
{
	struct queue *queue = queue_find(&lab.jobs, target);

	for (uint64_t seq = 1001; queue->circuit.state != CIRCUIT_OPEN; seq++) {
		lab_send(lab_job(seq, target)->delivery);
		lab_reply(TAILQ_LAST(&lab.jobs.list, job_list)->delivery, 503);
		job_free(&lab.jobs, TAILQ_LAST(&lab.jobs.list, job_list));
	}
}

/* A message comes to a subscription, and the loop takes it. */
static inline void
lab_message(struct bus_msg *msg)
{
	for (size_t i = 0; i < lab.n_subscriptions; i++) {
		const struct lab_subscription *s = &lab.subscription[i];

		if (strncmp(bus_msg_subject(msg), s->subject, strlen(s->subject)) != 0)
			continue;
		s->on_msg(s->ctx, msg);
		while (inbox_next(lab.inbox, lab.now_ms))
			continue;
		return;
	}
	fail_msg("nobody subscribed to %s", bus_msg_subject(msg));
}

/* NATS answers all dead letters that it has got. */
static inline void
lab_answer_letters(const char *answer)
{
	size_t n = lab.n_letters;

	lab.n_letters = 0;
	for (size_t i = 0; i < n; i++) {
		struct bus_msg *msg = mem_alloc(sizeof(*msg));

		assert_int_equal(natsMsg_Create(&msg->msg, lab.letter[i], NULL, answer,
					 (int)strlen(answer)),
			NATS_OK);
		lab_message(msg);
	}
}

static inline void
lab_store_letters(void)
{
	lab_answer_letters("{\"stream\":\"VCDEAD\",\"seq\":1}");
}

/* ---- in the place of the bus */

int __wrap_bus_publish(struct bus *bus, const struct bus_out *out, struct err *err);
int __wrap_bus_request(struct bus *bus, const struct bus_out *out, int64_t timeout_ms,
	struct bus_msg **reply, struct err *err);
int __wrap_bus_subscribe(
	struct bus *bus, const char *subject, bus_on_msg *on_msg, void *ctx, struct err *err);
bool __wrap_bus_connected(const struct bus *bus);
int64_t __wrap_bus_max_payload(const struct bus *bus);
uint64_t __wrap_bus_reconnects(const struct bus *bus);

static inline const char *
lab_header(const struct bus_out *out, const char *name)
{
	for (size_t i = 0; i < out->n_headers; i++)
		if (strcmp(out->headers[i].name, name) == 0)
			return out->headers[i].value;
	return "";
}

/* Of a dead letter its reason and its target, of all else the data. */
static inline void
lab_note(const struct bus_out *out, const char *after)
{
	const char *reason = lab_header(out, HEADER_REASON);

	if (lab.said.len > 0)
		buf_add_str(&lab.said, ", ");
	if (*reason != '\0')
		buf_printf(&lab.said, "%s %s %s%s", out->subject, reason,
			lab_header(out, HEADER_TARGET), after);
	else
		buf_printf(&lab.said, "%s %.*s%s", out->subject, (int)out->len,
			(const char *)out->data, after);
	if (out->len == 4 && memcmp(out->data, "+ACK", 4) == 0) {
		assert_non_null(lab.noted); /* on_ack comes before the ack */
		assert_string_equal(lab.noted->reply, out->subject);
		lab.noted = NULL;
	}
}

int
__wrap_bus_publish(struct bus *bus, const struct bus_out *out, struct err *err)
{
	(void)bus;
	if (lab.disconnected)
		return err_set(err, ERR_CONNECT, "not connected");
	lab_note(out, "");
	if (*lab_header(out, HEADER_REASON) != '\0') {
		assert_true(lab.n_letters < LAB_LETTERS_MAX);
		snprintf(lab.letter[lab.n_letters++], sizeof(lab.letter[0]), "%s", out->reply);
	}
	return 0;
}

/* A request that waits for the answer. */
int
__wrap_bus_request(struct bus *bus, const struct bus_out *out, int64_t timeout_ms,
	struct bus_msg **reply, struct err *err)
{
	(void)bus;
	(void)timeout_ms;
	if (lab.disconnected)
		return err_set(err, ERR_CONNECT, "not connected");
	lab_note(out, "?");
	*reply = mem_alloc(sizeof(**reply));
	assert_int_equal(
		natsMsg_Create(&(*reply)->msg, "_INBOX_lab.reply", NULL, NULL, 0), NATS_OK);
	return 0;
}

int
__wrap_bus_subscribe(
	struct bus *bus, const char *subject, bus_on_msg *on_msg, void *ctx, struct err *err)
{
	struct lab_subscription *s = &lab.subscription[lab.n_subscriptions++];

	(void)bus;
	(void)err;
	assert_true(lab.n_subscriptions <= LAB_SUBSCRIPTIONS_MAX);
	snprintf(s->subject, sizeof(s->subject), "%.*s", (int)strcspn(subject, "*"), subject);
	s->on_msg = on_msg;
	s->ctx = ctx;
	return 0;
}

bool
__wrap_bus_connected(const struct bus *bus)
{
	(void)bus;
	return !lab.disconnected;
}

int64_t
__wrap_bus_max_payload(const struct bus *bus)
{
	(void)bus;
	return 1024 * 1024; /* the default of nats-server */
}

uint64_t
__wrap_bus_reconnects(const struct bus *bus)
{
	(void)bus;
	return 0;
}

/* ---- in the place of the clocks, and of parts with threads and connections */

int64_t __wrap_clock_monotonic_ms(void);
int64_t __wrap_clock_wall_us(void);
void __wrap_ack_flush_add(struct ack_flush *flush, size_t deliveries);
size_t __wrap_ack_flush_slots(const struct ack_flush *flush);
void __wrap_refresh_want(struct refresher *refresher);
bool __wrap_sink_deliver(struct sink *sink, struct delivery *delivery);

int64_t
__wrap_clock_monotonic_ms(void)
{
	return lab.now_ms;
}

int64_t
__wrap_clock_wall_us(void)
{
	return lab.now_ms * 1000;
}

void
__wrap_ack_flush_add(struct ack_flush *flush, size_t deliveries)
{
	(void)flush;
	lab.flushed += deliveries;
}

size_t
__wrap_ack_flush_slots(const struct ack_flush *flush)
{
	(void)flush;
	return 0;
}

void
__wrap_refresh_want(struct refresher *refresher)
{
	(void)refresher;
	lab.refreshes++;
}

bool
__wrap_sink_deliver(struct sink *sink, struct delivery *delivery)
{
	(void)sink;
	if (lab.has_sink)
		lab.sunk = delivery;
	return lab.has_sink;
}

#endif
