// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "stream_reader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "clock.h"
#include "mem.h"
#include "stop.h"

enum {
	BATCH = 500, /* messages of one pull; the next pull is sent when half have arrived */
	QUEUE = 2 * BATCH, /* power of two not needed: the pulls bound it */
	PULL_EXPIRES_MS = 30000,
	GROUP_MS = 40,        /* between two pulls that do not wait */
	GROUP_LOST_MS = 2000, /* such a pull is answered sooner, or never */
	INACTIVE_MS =
		60000, /* a killed reader's consumer is removed by the server after this time */
	WAIT_MS = 100, /* longest delay before a stop is noticed */
};

struct stream_reader {
	struct bus *bus;
	char *stream, *filter;
	uint64_t last_seq;  /* of the stream when this read began, from its leader */
	uint64_t start_seq; /* the read's own limits; 0: none */
	int64_t start_us;
	char consumer[128];
	char inbox[256]; /* of this read's pulls: "<bus inbox>.reader.<number>.<run>" */
	unsigned number; /* of the readers of this process: each has pulls of its own */
	unsigned run;
	uint64_t pending;
	uint64_t reconnects;
	int64_t asked_ms, answer_ms; /* the last pull, and when it must be answered by */
	pthread_mutex_t lock;
	pthread_cond_t came;
	struct bus_msg *queue[QUEUE];
	size_t first, n;
	int outstanding; /* requested and not received yet */
	bool gone;
	bool in_groups;
};

/*
 * Messages may arrive after their read has ended: messages of its consumer, and the notice that
 * the consumer was deleted, which comes on the inbox that the pull named.
 */
static bool
of_this_run(const struct stream_reader *r, const struct bus_msg *msg, enum pull_status status)
{
	const char *of = status == PULL_MESSAGE ? bus_msg_reply(msg) : bus_msg_subject(msg);
	const char *which = status == PULL_MESSAGE ? r->consumer : r->inbox;
	const char *at = *which ? strstr(of, which) : NULL;
	char behind = at ? at[strlen(which)] : 'x';

	return behind == '.' || behind == '\0';
}

static void
on_msg(void *ctx, struct bus_msg *msg)
{
	struct stream_reader *r = ctx;
	int undelivered;
	enum pull_status status = jetstream_pull_status(msg, &undelivered);

	pthread_mutex_lock(&r->lock);
	if (!of_this_run(r, msg, status)) {
		/* of an earlier read */
	} else if (status == PULL_MESSAGE && r->n < QUEUE) {
		r->queue[(r->first + r->n++) % QUEUE] = msg;
		msg = NULL;
		r->outstanding -= r->outstanding > 0; /* a pull from before may still be open */
	} else if (status == PULL_GONE) {
		r->gone = true;
	} else if (status == PULL_OVER) {
		r->outstanding = 0;
	}
	pthread_cond_signal(&r->came);
	pthread_mutex_unlock(&r->lock);
	bus_msg_free(msg);
}

int
stream_reader_open(struct stream_reader **reader, struct bus *bus, struct err *err)
{
	static atomic_uint opened;
	struct stream_reader *r = mem_alloc(sizeof(*r));
	struct buf subject;
	int failed;

	r->bus = bus;
	r->number = atomic_fetch_add(&opened, 1);
	pthread_mutex_init(&r->lock, NULL);
	clock_cond_init(&r->came);
	buf_init(&subject, 512);
	buf_printf(&subject, "%s.reader.%u.*", bus_inbox(bus), r->number);
	failed = bus_subscribe(bus, buf_str(&subject), on_msg, r, err);
	buf_free(&subject);
	if (failed) {
		stream_reader_close(r);
		return -1;
	}
	*reader = r;
	return 0;
}

static void
clear(struct stream_reader *r)
{
	while (r->n != 0) {
		bus_msg_free(r->queue[r->first]);
		r->first = (r->first + 1) % QUEUE;
		r->n--;
	}
	r->outstanding = 0;
	r->gone = false;
}

void
stream_reader_stop(struct stream_reader *r)
{
	struct err ignored;

	if (*r->consumer)
		jetstream_consumer_delete(r->bus, r->stream, r->consumer, &ignored);
	pthread_mutex_lock(&r->lock);
	r->consumer[0] = r->inbox[0] = '\0'; /* messages that still arrive are ignored */
	clear(r);
	pthread_mutex_unlock(&r->lock);
	free(r->stream);
	free(r->filter);
	r->stream = r->filter = NULL;
}

void
stream_reader_close(struct stream_reader *r)
{
	if (r == NULL)
		return;
	clear(r);
	pthread_cond_destroy(&r->came);
	pthread_mutex_destroy(&r->lock);
	free(r->stream);
	free(r->filter);
	free(r);
}

/* stream: as it is now. */
static int
begin(struct stream_reader *r, const struct consumer_config *config,
	const struct stream_info *stream, struct err *err)
{
	struct consumer_config c = *config;
	struct consumer_info info;

	c.name = NULL;
	c.ack_none = true;
	c.inactive_ms = INACTIVE_MS;
	if (jetstream_consumer_ensure(r->bus, &c, &info, err) != 0)
		return -1;
	r->stream = mem_strdup(config->stream);
	r->filter = mem_strdup(config->filter_subject ? config->filter_subject : ">");
	r->last_seq = stream->last_seq;
	r->start_seq = config->deliver == DELIVER_FROM_SEQ ? config->start_seq : 0;
	r->start_us = config->deliver == DELIVER_FROM_TIME ? config->start_time_us : INT64_MIN;
	pthread_mutex_lock(&r->lock);
	snprintf(r->consumer, sizeof(r->consumer), "%s", info.name);
	snprintf(r->inbox, sizeof(r->inbox), "%s.reader.%u.%u", bus_inbox(r->bus), r->number,
		++r->run);
	pthread_mutex_unlock(&r->lock);
	r->pending = info.pending;
	r->reconnects = bus_reconnects(r->bus);
	return 0;
}

int
stream_reader_start(
	struct stream_reader *r, const struct consumer_config *config, struct err *err)
{
	struct stream_info stream;

	stream_reader_stop(r);
	return jetstream_stream_look(r->bus, config->stream, &stream, err) == 0
		? begin(r, config, &stream, err)
		: -1;
}

int
stream_reader_resume(struct stream_reader *r, const struct consumer_config *config,
	uint64_t seq, uint64_t at_most, struct err *err)
{
	struct consumer_config c = *config;
	struct stream_info stream;

	stream_reader_stop(r);
	if (jetstream_stream_look(r->bus, c.stream, &stream, err) != 0)
		return -1;
	if (stream.last_seq < seq)
		seq = 0;
	if (at_most != 0 && stream.last_seq - seq > at_most)
		seq = stream.last_seq - at_most;
	c.deliver = DELIVER_FROM_SEQ;
	c.start_seq = seq + 1;
	return begin(r, &c, &stream, err);
}

int
stream_reader_confirm_end(struct stream_reader *r, uint64_t seq, struct err *err)
{
	struct stream_info stream;
	struct stream_msg next;
	uint64_t found;
	bool before;

	if (seq >= r->last_seq)
		return 0;
	if (jetstream_stream_look(r->bus, r->stream, &stream, err) != 0)
		return -1;
	if (stream.last_seq < r->last_seq)
		return err_set(err, ERR_TIMEOUT,
			"the stream's leader is behind: it ends at %llu, it had %llu",
			(unsigned long long)stream.last_seq, (unsigned long long)r->last_seq);
	/*
	 * nothing was received: only the newest message shows whether there is one since the
	 * time at which the read begins
	 */
	if (jetstream_stream_get(r->bus,
		    &(struct message_query){
			    r->stream, seq == 0 ? r->start_seq : seq + 1, r->filter },
		    &next, err) != 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	found = next.seq;
	before = next.time_us < r->start_us;
	jetstream_msg_free(&next);
	if (before || ((seq != 0 || r->start_seq != 0) && found > r->last_seq))
		return 0;
	return err_set(err, ERR_TIMEOUT,
		"a replica of the stream is behind: it ends at %llu, the stream has %llu",
		(unsigned long long)seq, (unsigned long long)found);
}

uint64_t
stream_reader_pending(const struct stream_reader *r)
{
	return r->pending;
}

void
stream_reader_in_groups(struct stream_reader *r, bool in_groups)
{
	r->in_groups = in_groups;
}

/*
 * A pull is lost with its connection. NATS ignores a pull from a consumer that is gone, and the
 * notice of that reaches only a pull that is open at that time. Call with the lock held.
 */
static bool
due(struct stream_reader *r, int64_t now)
{
	if (bus_reconnects(r->bus) != r->reconnects)
		r->outstanding = 0;
	r->gone |= r->outstanding > 0 && now > r->answer_ms && bus_connected(r->bus);
	if (r->in_groups)
		return r->outstanding == 0 && r->n == 0 && now - r->asked_ms >= GROUP_MS;
	return r->outstanding + (int)r->n <= BATCH / 2;
}

/* Keeps one pull outstanding, or sends the next one that does not wait. */
static int
ask(struct stream_reader *r, struct err *err)
{
	int64_t now = clock_monotonic_ms();
	bool send;

	pthread_mutex_lock(&r->lock);
	send = due(r, now);
	if (send)
		r->outstanding += BATCH;
	pthread_mutex_unlock(&r->lock);
	if (!send)
		return 0;
	r->reconnects = bus_reconnects(r->bus);
	r->asked_ms = now;
	r->answer_ms = now + (r->in_groups ? GROUP_LOST_MS : PULL_EXPIRES_MS + 1000);
	return jetstream_pull(r->bus,
		&(struct pull_request){ .stream = r->stream,
			.consumer = r->consumer,
			.reply = r->inbox,
			.batch = BATCH,
			.expires_ms = r->in_groups ? 0 : PULL_EXPIRES_MS },
		err);
}

static struct bus_msg *
take(struct stream_reader *r, int64_t wait_ms, bool *gone)
{
	struct bus_msg *msg = NULL;

	pthread_mutex_lock(&r->lock);
	if (r->n == 0 && !r->gone && wait_ms > 0)
		clock_cond_wait(&r->came, &r->lock, wait_ms);
	if (r->n != 0) {
		msg = r->queue[r->first];
		r->first = (r->first + 1) % QUEUE;
		r->n--;
	}
	*gone = r->gone;
	pthread_mutex_unlock(&r->lock);
	return msg;
}

int
stream_reader_next(struct stream_reader *r, int64_t timeout_ms, struct bus_msg **msg,
	struct jetstream_meta *d, struct err *err)
{
	int64_t end = clock_monotonic_ms() + timeout_ms;
	bool gone = false;

	for (;;) {
		int64_t left = end - clock_monotonic_ms();

		if (ask(r, err) != 0)
			return -1;
		*msg = take(r, left > WAIT_MS ? WAIT_MS : left > 0 ? left : 0, &gone);
		if (*msg != NULL && jetstream_meta_parse(bus_msg_reply(*msg), d)) {
			if (jetstream_read_headers(r->bus, *msg, err) == 0)
				return 0;
			bus_msg_free(*msg);
			return -1;
		}
		bus_msg_free(*msg);
		*msg = NULL;
		if (gone)
			return err_set(err, ERR_NOT_FOUND, "the reader's consumer is gone");
		if (stop_requested())
			return err_set(err, ERR_STOPPED, "stopped");
		if (left <= 0)
			return 0;
	}
}
