// SPDX-License-Identifier: Apache-2.0
/*
 * Which acks the server has. One is a publish without an answer, and those that did not get
 * there when we are killed make their events come again. So a delivery keeps its slot until a
 * PING that was sent after its ack is answered: then no kill repeats more deliveries than
 * `concurrency`. The waiting is a thread's.
 */
#define _DEFAULT_SOURCE
#include "dispatch.h"

#include "clock.h"

enum {
	ANSWER_MS = 1000,
	AGAIN_MS = 100, /* the bus is away */
	/*
	 * of the slots, that may be taken so before the server is asked although others are
	 * free
	 */
	SHARE = 2,
};

static void *
confirmer(void *arg)
{
	struct dispatcher *d = arg;
	struct confirm *c = &d->confirm;
	struct err err;

	pthread_mutex_lock(&c->lock);
	while (!c->end) {
		uint64_t asked = c->asked;
		int failed;

		if (asked == atomic_load(&c->confirmed)) {
			pthread_cond_wait(&c->poke, &c->lock);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		failed = bus_flush(d->bus, ANSWER_MS, &err);
		if (!failed) {
			atomic_store(&c->confirmed, asked);
			http_wakeup(d->http);
		}
		pthread_mutex_lock(&c->lock);
		if (failed && !c->end)
			clock_cond_wait(&c->poke, &c->lock, AGAIN_MS);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

int
confirm_open(struct dispatcher *d, struct err *err)
{
	if (pthread_create(&d->confirm.thread, NULL, confirmer, d) != 0)
		return err_set(err, ERR_SYSTEM, "cannot start a thread");
	d->confirm.running = true;
	return 0;
}

void
confirm_close(struct dispatcher *d)
{
	if (!d->confirm.running)
		return;
	pthread_mutex_lock(&d->confirm.lock);
	d->confirm.end = true;
	pthread_cond_signal(&d->confirm.poke);
	pthread_mutex_unlock(&d->confirm.lock);
	pthread_join(d->confirm.thread, NULL);
	d->confirm.running = false;
}

void
confirm_want(struct dispatcher *d, size_t deliveries)
{
	d->confirm.sent += deliveries;
}

static size_t
slots(const struct dispatcher *d, uint64_t deliveries)
{
	return ((size_t)deliveries + d->processor->batch_max - 1) / d->processor->batch_max;
}

size_t
confirm_slots(const struct dispatcher *d)
{
	return slots(d, d->confirm.sent - atomic_load(&d->confirm.confirmed));
}

void
confirm_turn(struct dispatcher *d)
{
	struct confirm *c = &d->confirm;
	size_t all = (size_t)d->options->concurrency,
	       unknown = slots(d, c->sent - c->last_asked);

	if (unknown == 0 || (unknown < all / SHARE && d->in_flight + confirm_slots(d) < all))
		return;
	pthread_mutex_lock(&c->lock);
	c->asked = c->last_asked = c->sent;
	pthread_cond_signal(&c->poke);
	pthread_mutex_unlock(&c->lock);
}
