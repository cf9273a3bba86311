// SPDX-License-Identifier: Apache-2.0
#include "ack_flush.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"

enum {
	ANSWER_MS = 1000,
	AGAIN_MS = 100, /* the next try when NATS did not answer */
	WAIT_MS = 5,    /* of the loop; a NATS that takes longer is left to the thread */
	/* one half of the slots may be taken before NATS is asked although others are free */
	SHARE = 2,
};

/* Each number counts deliveries since the start. */
struct ack_flush {
	struct ack_flush_config config;
	uint64_t sent, asked_last; /* the loop's */
	_Atomic uint64_t confirmed;
	atomic_bool slow; /* the last answer took longer than the loop waits */

	pthread_t thread;
	pthread_mutex_t lock; /* for the rest */
	pthread_cond_t changed;
	uint64_t asked;
	bool end;
};

static void *
flusher(void *arg)
{
	struct ack_flush *f = arg;
	struct err err;

	pthread_mutex_lock(&f->lock);
	while (!f->end) {
		uint64_t asked = f->asked;
		int64_t started_ms;
		int failed;

		if (asked == atomic_load(&f->confirmed)) {
			pthread_cond_wait(&f->changed, &f->lock);
			continue;
		}
		pthread_mutex_unlock(&f->lock);
		started_ms = clock_monotonic_ms();
		failed = bus_flush(f->config.bus, ANSWER_MS, &err);
		atomic_store(&f->slow, failed || clock_monotonic_ms() - started_ms >= WAIT_MS);
		if (!failed) {
			atomic_store(&f->confirmed, asked);
			http_wakeup(f->config.http);
		}
		pthread_mutex_lock(&f->lock);
		if (failed && !f->end)
			clock_cond_wait(&f->changed, &f->lock, AGAIN_MS);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static void
release(struct ack_flush *f)
{
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

int
ack_flush_open(struct ack_flush **flush, const struct ack_flush_config *config, struct err *err)
{
	struct ack_flush *f = mem_alloc(sizeof(*f));

	f->config = *config;
	pthread_mutex_init(&f->lock, NULL);
	clock_cond_init(&f->changed);
	if (pthread_create(&f->thread, NULL, flusher, f) != 0) {
		release(f);
		return err_set(err, ERR_SYSTEM, "cannot start a thread");
	}
	*flush = f;
	return 0;
}

void
ack_flush_close(struct ack_flush *f)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	f->end = true;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	release(f);
}

void
ack_flush_add(struct ack_flush *f, size_t deliveries)
{
	f->sent += deliveries;
}

static size_t
slots(const struct ack_flush *f, uint64_t deliveries)
{
	return ((size_t)deliveries + f->config.batch_max - 1) / f->config.batch_max;
}

size_t
ack_flush_slots(const struct ack_flush *f)
{
	return slots(f, f->sent - atomic_load(&f->confirmed));
}

/* The thread sleeps: all that it was asked for is confirmed. */
static bool
thread_sleeps(const struct ack_flush *f)
{
	return f->asked_last == atomic_load(&f->confirmed);
}

static void
ask(struct ack_flush *f, bool wake_thread)
{
	pthread_mutex_lock(&f->lock);
	f->asked = f->asked_last = f->sent;
	if (wake_thread)
		pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

void
ack_flush_wait(struct ack_flush *f, size_t in_flight)
{
	struct err err;
	bool answered;

	if (in_flight > 0 || ack_flush_slots(f) < f->config.concurrency || !thread_sleeps(f) ||
		atomic_load(&f->slow))
		return;
	answered = bus_flush(f->config.bus, WAIT_MS, &err) == 0;
	if (!answered)
		atomic_store(&f->slow, true);
	/* before `confirmed`: the thread stores there what it finds in `asked` */
	ask(f, !answered);
	if (answered)
		atomic_store(&f->confirmed, f->sent);
}

void
ack_flush_turn(struct ack_flush *f, size_t in_flight)
{
	size_t all = f->config.concurrency, not_asked = slots(f, f->sent - f->asked_last);

	if (not_asked == 0 || (not_asked < all / SHARE && in_flight + ack_flush_slots(f) < all))
		return;
	ask(f, true);
}
