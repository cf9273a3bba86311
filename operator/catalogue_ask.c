// SPDX-License-Identifier: Apache-2.0
/* Asks the collectors that run for the descriptions of events. */
#define _DEFAULT_SOURCE
#include "catalogue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "mem.h"
#include "protocol.h"
#include "subject.h"

enum {
	SILENCE_MS = 3000, /* the loop of a collector replies, after what it does */
	ALL_MS = 10 * 1000,
	POLL_MS = 10,
	FLUSH_MS = 2000,
};

struct catalogue_asking {
	struct catalogue *catalogue;
	pthread_mutex_t lock;
	size_t complete; /* sources that have answered, or that nobody reads */
	int64_t last_ms; /* monotonic: when the last message came */
	bool open;
};

static void
on_reply(void *ctx, struct bus_msg *msg)
{
	struct catalogue_asking *a = ctx;

	pthread_mutex_lock(&a->lock);
	if (a->open) {
		a->last_ms = clock_monotonic_ms();
		a->complete += bus_msg_len(msg) == 0 || /* nobody listens */
			catalogue_take(a->catalogue, bus_msg_data(msg), bus_msg_len(msg));
	}
	pthread_mutex_unlock(&a->lock);
	bus_msg_free(msg);
}

/* All sources have answered, or those that have not are given up. */
static bool
is_done(struct catalogue_asking *a, size_t sources, int64_t begin_ms)
{
	int64_t now_ms = clock_monotonic_ms();
	bool done;

	pthread_mutex_lock(&a->lock);
	done = a->complete >= sources || now_ms - begin_ms >= ALL_MS ||
		now_ms - a->last_ms >= SILENCE_MS;
	if (done)
		a->open = false;
	pthread_mutex_unlock(&a->lock);
	return done;
}

static int
ask(struct session *s, const char *reply, struct err *err)
{
	char subject[192];
	struct bus_out out = { .subject = subject, .reply = reply };

	for (size_t i = 0; i < s->n_sources; i++) {
		snprintf(subject, sizeof(subject), CATALOGUE_PREFIX ".%s",
			s->source[i].stream + STREAM_PREFIX_LEN);
		if (bus_publish(s->bus, &out, err) != 0)
			return -1;
	}
	return bus_flush(s->bus, FLUSH_MS, err);
}

int
catalogue_ask(struct catalogue *c, struct session *s, struct err *err)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	struct catalogue_asking *a = c->asking = mem_alloc(sizeof(*a));
	int64_t begin_ms = clock_monotonic_ms();
	char inbox[256];

	*a = (struct catalogue_asking){ .catalogue = c, .last_ms = begin_ms, .open = true };
	pthread_mutex_init(&a->lock, NULL);
	snprintf(inbox, sizeof(inbox), "%s.catalogue", bus_inbox(s->bus));
	if (bus_subscribe(s->bus, inbox, on_reply, a, err) != 0 || ask(s, inbox, err) != 0)
		return -1;
	while (!is_done(a, s->n_sources, begin_ms))
		nanosleep(&pause, NULL);
	return 0;
}

void
catalogue_asking_free(struct catalogue_asking *a)
{
	if (a != NULL)
		pthread_mutex_destroy(&a->lock);
	free(a);
}
