// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "publisher.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "jetstream.h"
#include "mem.h"
#include "publish_message.h"
#include "stop.h"

struct outstanding {
	int64_t sent_ms, created_us, again_us;
	uint64_t seq; /* where it was stored; 0: a duplicate, stored earlier */
	int64_t key;
	bool acked, unfenced;
};

struct publisher {
	struct bus *bus;
	struct publish_message message;
	size_t window;
	int64_t ack_timeout_ms;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct outstanding *ring; /* of `window` */
	uint64_t sent, done;      /* numbers: all below `done` are acked */
	/* wake the sender when `done` reaches this: waking it for each ack costs too much */
	uint64_t awaited;
	uint64_t base_seq;   /* the stream's last sequence before number 0 */
	uint64_t last_seq;   /* of the newest message that is stored, with all before it */
	uint64_t generation; /* replies to an earlier one are ignored */
	int64_t oldest_us;   /* no later than any again_us in flight */
	uint64_t oldest_due; /* the number at which it is computed again */
	bool broken, refused_duplicate, refused_id;
	struct err why;
	struct publisher_stats stats;
};

static void
set_broken(struct publisher *p, enum err_code code, const char *text)
{
	if (p->broken)
		return;
	p->broken = true;
	err_set(&p->why, code, "%s", text);
}

static void
settle(struct publisher *p, uint64_t number, const struct pub_ack *ack)
{
	struct outstanding *f = &p->ring[number % p->window];

	if (ack->error_code != 0) {
		bool fenced = ack->error_code == JS_ERR_WRONG_LAST_SEQ;

		if (ack->error_code == JS_ERR_ID_IN_PROCESS && !f->unfenced)
			p->refused_id = true;
		/*
		 * the server answers in order: when the oldest has no answer, it was not
		 * stored, for an unknown reason. nats-server 2.15 with a full disk does this.
		 */
		if (fenced && number != p->done)
			set_broken(p, ERR_FULL,
				"a message was not stored, and NATS does not say why: is its disk full?");
		else
			set_broken(p,
				fenced                                           ? ERR_CONFLICT
					: ack->error_code == JS_ERR_STORE_FAILED ? ERR_FULL
										 : ERR_CONNECT,
				ack->error);
		return;
	}
	if (f->acked)
		return;
	f->acked = true;
	p->stats.last_ack_seconds = (double)(clock_monotonic_ms() - f->sent_ms) / 1000;
	if (ack->duplicate) {
		/* the stream did not grow: messages sent after this one expect too much */
		p->stats.duplicates++;
		p->refused_duplicate = !f->unfenced;
		if (!f->unfenced)
			set_broken(p, ERR_CONFLICT, "the stream had this event already");
	} else {
		p->stats.published++;
		f->seq = ack->seq;
	}
	for (; p->done < p->sent && p->ring[p->done % p->window].acked; p->done++)
		if (p->ring[p->done % p->window].seq > p->last_seq)
			p->last_seq = p->ring[p->done % p->window].seq;
}

static void
on_ack(void *ctx, struct bus_msg *msg)
{
	struct publisher *p = ctx;
	uint64_t generation, number;
	struct pub_ack ack;

	if (publish_message_parse_ack(
		    &p->message, bus_msg_subject(msg), &generation, &number) &&
		jetstream_pub_ack_parse(msg, &ack)) {
		pthread_mutex_lock(&p->lock);
		if (generation == p->generation && number >= p->done && number < p->sent)
			settle(p, number, &ack);
		if (p->broken || p->done >= p->awaited)
			pthread_cond_signal(&p->changed);
		pthread_mutex_unlock(&p->lock);
	}
	bus_msg_free(msg);
}

int
publisher_open(struct publisher **out, struct bus *bus, size_t window, int64_t ack_timeout_ms,
	struct err *err)
{
	struct publisher *p = mem_alloc(sizeof(*p));
	const char *acks;

	p->bus = bus;
	p->window = window;
	p->ack_timeout_ms = ack_timeout_ms;
	p->ring = mem_array(window, sizeof(*p->ring));
	pthread_mutex_init(&p->lock, NULL);
	clock_cond_init(&p->changed);
	acks = publish_message_init(&p->message, bus);
	if (bus_subscribe(bus, acks, on_ack, p, err) != 0) {
		publisher_close(p);
		return -1;
	}
	publisher_reset(p, 0);
	*out = p;
	return 0;
}

void
publisher_close(struct publisher *p)
{
	if (p == NULL)
		return;
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p->ring);
	publish_message_free(&p->message);
	free(p);
}

void
publisher_reset(struct publisher *p, uint64_t last_seq)
{
	pthread_mutex_lock(&p->lock);
	p->generation++;
	p->sent = p->done = p->oldest_due = 0;
	p->oldest_us = INT64_MAX;
	p->base_seq = p->last_seq = last_seq;
	publish_message_begin(&p->message, p->generation, p->refused_id);
	p->broken = p->refused_duplicate = p->refused_id = false;
	pthread_mutex_unlock(&p->lock);
}

/* Call with the lock held. Broken, when the oldest message waits for too long. */
static void
check_overdue(struct publisher *p)
{
	bool overdue = p->done < p->sent &&
		clock_monotonic_ms() - p->ring[p->done % p->window].sent_ms > p->ack_timeout_ms;

	if (p->broken || !overdue)
		return;
	set_broken(p, bus_connected(p->bus) ? ERR_TIMEOUT : ERR_CONNECT,
		bus_connected(p->bus) ? "no ack from the stream" : "connection to NATS lost");
	bus_unanswered(p->bus);
}

/* With the lock held. Waits until all before `number` are acked, at most ms, or broken. */
static void
wait_acks(struct publisher *p, uint64_t number, int64_t ms)
{
	p->awaited = number;
	clock_cond_wait(&p->changed, &p->lock, ms);
}

static int
verdict(struct publisher *p, struct err *err)
{
	check_overdue(p);
	if (!p->broken)
		return 0;
	*err = p->why;
	return -1;
}

int
publisher_check(struct publisher *p, struct err *err)
{
	int result;

	pthread_mutex_lock(&p->lock);
	result = verdict(p, err);
	pthread_mutex_unlock(&p->lock);
	return result;
}

/*
 * With the lock held: messages in flight at most. The first message with a new id is sent
 * alone: the server may have the same event in process under another id. Its ack says that all
 * messages before it are stored or refused.
 */
static size_t
window(const struct publisher *p)
{
	return p->done == 0 && publish_message_rewritten(&p->message) ? 1 : p->window;
}

bool
publisher_room(struct publisher *p)
{
	bool room;

	pthread_mutex_lock(&p->lock);
	room = p->broken || p->sent - p->done < window(p);
	pthread_mutex_unlock(&p->lock);
	return room;
}

/*
 * The oldest again_us in flight; call with the lock held. Acks only make it later, so it is
 * computed once in a while: a time that is too early costs a few events read again.
 */
static int64_t
oldest(struct publisher *p)
{
	uint64_t i;

	if (p->done == p->sent || p->sent >= p->oldest_due) {
		p->oldest_us = INT64_MAX;
		for (i = p->done; i < p->sent; i++)
			if (p->ring[i % p->window].again_us < p->oldest_us)
				p->oldest_us = p->ring[i % p->window].again_us;
		p->oldest_due = p->sent + p->window / 4 + 1;
	}
	return p->oldest_us;
}

/* Waits for a free place in the window and takes it: its number, and what is complete. */
static int
take_place(struct publisher *p, const struct publish *msg, struct publish_place *place,
	struct err *err)
{
	int result;

	pthread_mutex_lock(&p->lock);
	while ((result = verdict(p, err)) == 0 && p->sent - p->done >= window(p) &&
		!stop_requested())
		wait_acks(p, p->sent - window(p) + window(p) / 4 + 1, 100);
	if (result == 0 && p->sent - p->done >= window(p))
		result = err_set(err, ERR_STOPPED, "asked to stop");
	if (result == 0) {
		place->complete_us = oldest(p) < msg->complete_us ? p->oldest_us
								  : msg->complete_us;
		if (msg->again_us < p->oldest_us)
			p->oldest_us = msg->again_us;
		place->number = p->sent++;
		place->expected = p->base_seq + place->number;
		p->ring[place->number % p->window] = (struct outstanding){
			.sent_ms = clock_monotonic_ms(),
			.key = msg->key,
			.created_us = msg->created_us,
			.again_us = msg->again_us,
			.unfenced = msg->unfenced
		};
	}
	pthread_mutex_unlock(&p->lock);
	return result;
}

int
publisher_send(struct publisher *p, const struct publish *msg, struct err *err)
{
	struct publish_place place;

	if (take_place(p, msg, &place, err) != 0)
		return -1;
	if (publish_message_send(&p->message, p->bus, msg, &place, err) == 0)
		return 0;
	pthread_mutex_lock(&p->lock);
	p->sent--; /* it was not sent: it is not taken back */
	set_broken(p, err->code, err->text);
	pthread_mutex_unlock(&p->lock);
	return -1;
}

int
publisher_drain(struct publisher *p, int64_t timeout_ms, struct err *err)
{
	int64_t end = clock_monotonic_ms() + timeout_ms;
	int result;

	pthread_mutex_lock(&p->lock);
	while ((result = verdict(p, err)) == 0 && p->done < p->sent &&
		clock_monotonic_ms() < end)
		wait_acks(p, p->sent, 50);
	if (result == 0 && p->done < p->sent)
		result = err_set(err, ERR_TIMEOUT, "%" PRIu64 " events without an ack",
			p->sent - p->done);
	pthread_mutex_unlock(&p->lock);
	return result;
}

void
publisher_take_unacked(
	struct publisher *p, void (*fn)(void *, const struct publisher_unacked *), void *ctx)
{
	uint64_t i;

	pthread_mutex_lock(&p->lock);
	for (i = p->done; i < p->sent; i++) {
		const struct outstanding *f = &p->ring[i % p->window];

		if (!f->acked)
			fn(ctx,
				&(struct publisher_unacked){ .key = f->key,
					.created_us = f->created_us,
					.again_us = f->again_us });
	}
	p->done = p->sent;
	p->generation++; /* a late ack must not count what was taken back */
	pthread_mutex_unlock(&p->lock);
}

uint64_t
publisher_last_seq(struct publisher *p)
{
	uint64_t seq;

	pthread_mutex_lock(&p->lock);
	seq = p->last_seq;
	pthread_mutex_unlock(&p->lock);
	return seq;
}

int64_t
publisher_oldest_us(struct publisher *p)
{
	int64_t us;

	pthread_mutex_lock(&p->lock);
	us = oldest(p);
	pthread_mutex_unlock(&p->lock);
	return us;
}

void
publisher_stats(struct publisher *p, struct publisher_stats *stats)
{
	pthread_mutex_lock(&p->lock);
	*stats = p->stats;
	stats->in_flight = p->sent - p->done;
	pthread_mutex_unlock(&p->lock);
}

bool
publisher_refused_duplicate(struct publisher *p)
{
	bool refused;

	pthread_mutex_lock(&p->lock);
	refused = p->refused_duplicate;
	pthread_mutex_unlock(&p->lock);
	return refused;
}
