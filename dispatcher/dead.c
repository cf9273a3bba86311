// SPDX-License-Identifier: Apache-2.0
/*
 * Dead letters: the original message, and in headers why it is here. Published like any event,
 * with an id that makes a second copy of it a duplicate, and only when the server has confirmed
 * it is the original settled.
 */
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "status.h"
#include "text.h"

enum {
	ANSWER_MS = 5 * 1000,
	RETRY_MAX_MS = 30 * 1000,
	OWN_HEADERS_MAX = 20,
	/* an event in binary mode has one for each attribute */
	HEADERS_MAX = EVENT_EXTENSIONS_MAX + 24 + OWN_HEADERS_MAX,
	OVERHEAD = 8 * 1024, /* what our own headers may take of the server's max_payload */
	/* Bytes of the original's headers that go along: with ours below the 64 KiB that
	   nats-server takes. */
	COPIED_MAX = 32 * 1024,
};

/* One dead letter that is not confirmed yet. */
struct burial {
	struct burial *next;
	uint64_t id;
	struct leg *leg;
	struct backoff backoff;
	int64_t due_ms; /* when to publish it (again) */
};

struct letter {
	struct bus_header header[HEADERS_MAX];
	size_t n;
	size_t copied, copied_max; /* bytes of the original's headers */
	size_t left_out;           /* of them, those that were too many or too large */
	struct buf text;           /* where our values live; must not move */
};

static void
add_header(struct letter *l, const char *name, const char *value)
{
	if (l->n < HEADERS_MAX && value != NULL && value[0] != '\0')
		l->header[l->n++] = (struct bus_header){ name, value };
}

/* A copy that is safe in a header: one line of valid UTF-8. */
static void
add_text(struct letter *l, const char *name, const char *value)
{
	size_t at = l->text.len, n = value ? text_utf8_valid(value, strlen(value)) : 0;

	if (n > 1024)
		n = text_utf8_valid(value, 1024);
	if (n == 0 || l->text.len + n + 1 > l->text.cap - 1)
		return;
	buf_add(&l->text, value, n);
	for (char *p = l->text.data + at; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	buf_add_char(&l->text, '\0');
	add_header(l, name, l->text.data + at);
}

static void
add_number(struct letter *l, const char *name, uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	add_text(l, name, text);
}

static void
add_time(struct letter *l, const char *name, int64_t us)
{
	char text[CLOCK_TEXT_SIZE];

	if (us != 0)
		add_text(l, name, clock_format_ms(us, text));
}

/* The original's own headers go along, except those that mean something to the server. */
static void
copy_header(void *ctx, const char *name, const char *value)
{
	struct letter *l = ctx;

	if (strcasecmp(name, "Nats-Msg-Id") == 0)
		add_text(l, "Vcourier-Msg-Id", value);
	else if (strncasecmp(name, "Nats-", 5) != 0 && strncasecmp(name, "Vcourier-", 9) != 0) {
		size_t size = strlen(name) + strlen(value) + strlen(": \r\n");

		if (l->n >= HEADERS_MAX - OWN_HEADERS_MAX || l->copied + size > l->copied_max) {
			l->left_out++;
			return;
		}
		l->copied += size;
		add_header(l, name, value);
	}
}

static void
write_headers(struct dispatcher *d, const struct leg *leg, struct letter *l)
{
	const struct job *job = leg->job;
	const char *tail;
	char id[1024];

	snprintf(id, sizeof(id), "%s/%s/%llu/%lld/%s", d->durable, job->source->stream,
		(unsigned long long)job->seq, (long long)job->stored_us, leg->target);
	add_text(l, "Nats-Msg-Id", id);
	add_text(l, "Vcourier-Reason", leg->reason);
	add_text(l, "Vcourier-Error", leg->why);
	if (leg->status != 0)
		add_number(l, "Vcourier-Status", (uint64_t)leg->status);
	add_text(l, "Vcourier-Dispatcher", d->config->name);
	add_text(l, "Vcourier-Target", leg->target);
	add_number(l, "Vcourier-Attempts", leg->attempts);
	add_number(l, "Vcourier-Deliveries", job->delivered);
	add_time(l, "Vcourier-First-Try", leg->first_us);
	add_time(l, "Vcourier-Last-Try", leg->last_us);
	add_time(l, "Vcourier-Stored", job->stored_us);
	add_text(l, "Vcourier-Stream", job->source->stream);
	add_number(l, "Vcourier-Sequence", job->seq);
	tail = strchr(job_subject(job), '.');
	snprintf(id, sizeof(id), "%s%s", d->config->prefix, tail != NULL ? tail : "");
	add_text(l, "Vcourier-Subject", id);
	if (l->left_out != 0)
		add_number(l, "Vcourier-Headers-Left-Out", l->left_out);
}

/*
 * vcdead.<dispatcher>.<the original subject without its first token>. Of a longer one, which is
 * not the collector's, the last tokens are left out.
 */
static void
write_subject(const struct dispatcher *d, const char *original, char *out, size_t size)
{
	const char *tail = strchr(original, '.');
	size_t head;

	snprintf(out, size, "vcdead.%s", d->durable);
	head = strlen(out);
	if ((size_t)snprintf(out + head, size - head, "%s", tail != NULL ? tail : "._") >=
		size - head)
		*strrchr(out, '.') = '\0';
	if (strlen(out) <= head)
		snprintf(out + head, size - head, "._");
}

static int
publish(struct dispatcher *d, struct burial *b, struct err *err)
{
	const struct job *job = b->leg->job;
	int64_t max = bus_max_payload(d->bus);
	char subject[1024], reply[sizeof(d->dead_inbox) + 24];
	struct letter l = { .n = 0 };
	struct bus_out out = { .subject = subject, .reply = reply, .headers = l.header };
	bool omitted;
	int failed;

	buf_init(&l.text, OVERHEAD);
	buf_room(&l.text, OVERHEAD);
	l.copied_max = max > 0 && max / 2 < COPIED_MAX ? (size_t)max / 2 : COPIED_MAX;
	bus_msg_each_header(job->msg, copy_header, &l);
	omitted = max > 0 && (int64_t)(bus_msg_len(job->msg) + l.copied) + OVERHEAD > max;
	if (omitted)
		add_text(&l, "Vcourier-Body",
			"omitted: too large; it is in the stream, at the sequence");
	write_headers(d, b->leg, &l);
	write_subject(d, job_subject(job), subject, sizeof(subject));
	snprintf(reply, sizeof(reply), "%s.%llu", d->dead_inbox, (unsigned long long)b->id);
	out.n_headers = l.n;
	out.data = omitted ? "" : bus_msg_data(job->msg);
	out.len = omitted ? 0 : bus_msg_len(job->msg);
	failed = bus_publish(d->bus, &out, err);
	buf_free(&l.text);
	return failed;
}

/* Until dead letters can be stored again nothing is sent: it could fail, and where would it go?
 */
static void
fail(struct dispatcher *d, struct burial *b, const char *why, int64_t now_ms)
{
	if (!d->dead_letters_fail)
		log_error("dead letter not stored: deliveries pause",
			L_STR("stream", d->config->dead_stream->name), L_STR("error", why));
	d->dead_letters_fail = true;
	status_check("dead-letters", false, why);
	b->due_ms = now_ms + backoff_next(&b->backoff);
}

static void
try_to_publish(struct dispatcher *d, struct burial *b, int64_t now_ms)
{
	struct err err;

	if (!atomic_load(&d->dead_ready)) {
		/* the watcher makes the stream, or says why it cannot */
		b->due_ms = now_ms + 200;
	} else if (publish(d, b, &err) != 0) {
		if (err.code == ERR_CONNECT)
			b->due_ms = now_ms + backoff_next(&b->backoff);
		else
			fail(d, b, err.text, now_ms);
	} else {
		b->due_ms = now_ms + ANSWER_MS;
	}
}

void
dead_bury(struct dispatcher *d, struct leg *leg)
{
	struct burial *b = mem_alloc(sizeof(*b));
	int64_t now_ms = clock_monotonic_ms();

	b->id = ++d->last_burial;
	b->leg = leg;
	backoff_init(&b->backoff, 500, RETRY_MAX_MS, b->id);
	b->next = d->burials;
	d->burials = b;
	try_to_publish(d, b, now_ms);
}

static void
read_answer(struct dispatcher *d, const struct bus_msg *msg, int64_t now_ms)
{
	const char *dot = strrchr(bus_msg_subject(msg), '.');
	uint64_t id = dot ? strtoull(dot + 1, NULL, 10) : 0;
	struct burial **p = &d->burials, *b;
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
		if (answer.error_code == 503)
			atomic_store(&d->dead_ready, false); /* the stream is gone */
		fail(d, b, answer.error, now_ms);
		return;
	}
	if (d->dead_letters_fail)
		log_info("dead letters are stored again");
	d->dead_letters_fail = false;
	status_check("dead-letters", true, "");
	*p = b->next;
	d->on_stored(d->on_stored_ctx, b->leg);
	free(b);
}

static void
on_answer(void *ctx, struct bus_msg *msg, int64_t now_ms)
{
	read_answer(ctx, msg, now_ms);
	bus_msg_free(msg);
}

int
dead_open(struct dispatcher *d, leg_fn *on_stored, void *ctx, struct err *err)
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
dead_turn(struct dispatcher *d, int64_t now_ms)
{
	for (struct burial *b = d->burials; b != NULL; b = b->next)
		if (b->due_ms <= now_ms)
			try_to_publish(d, b, now_ms);
}

void
dead_close(struct dispatcher *d)
{
	while (d->burials != NULL) {
		struct burial *b = d->burials;

		d->burials = b->next;
		free(b);
	}
}
