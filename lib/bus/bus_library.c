// SPDX-License-Identifier: Apache-2.0
/* Begin and end of cnats, which all connections of the process share. */
#define _GNU_SOURCE /* SCHED_BATCH */
#include <openssl/crypto.h>
#include <sched.h>
#include <stdlib.h>

#include "bus_private.h"

enum { CLOSE_TIMEOUT_MS = 10000 }; /* an upper bound: its threads normally end sooner */

void
bus_init(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

/*
 * The library frees messages in a thread of its own, without a bound for those that wait. That
 * thread competes with those that publish: as SCHED_BATCH, which it would inherit, it wakes up
 * too late and thousands pile up on a busy machine (sched(7)).
 */
natsStatus
bus_library_start(void)
{
	const struct sched_param none = { 0 };
	int policy = sched_getscheduler(0);
	bool changed = policy == SCHED_BATCH && sched_setscheduler(0, SCHED_OTHER, &none) == 0;
	natsStatus s = nats_Open(-1);

	if (changed)
		sched_setscheduler(0, policy, &none);
	return s;
}

/* The connections of this process: the library ends with the last one. */
static struct {
	pthread_mutex_t lock;
	unsigned open;
	struct bus *closed;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
bus_library_opened(void)
{
	pthread_mutex_lock(&all.lock);
	all.open++;
	pthread_mutex_unlock(&all.lock);
}

static void
free_bus(struct bus *bus)
{
	for (size_t i = 0; i < bus->n_subs; i++) {
		free(bus->subs[i]->subject);
		free(bus->subs[i]);
	}
	free(bus->subs);
	pthread_cond_destroy(&bus->changed);
	pthread_mutex_destroy(&bus->lock);
	pthread_rwlock_destroy(&bus->nc_lock);
	free(bus->inbox);
	free(bus);
}

void
bus_library_closed(struct bus *bus)
{
	struct bus *next;

	pthread_mutex_lock(&all.lock);
	bus->closed_before = all.closed;
	all.closed = bus;
	if (--all.open == 0) {
		bus_destroy_messages();
		nats_CloseAndWait(CLOSE_TIMEOUT_MS);
		for (bus = all.closed; bus != NULL; bus = next) {
			next = bus->closed_before;
			free_bus(bus);
		}
		all.closed = NULL;
	}
	pthread_mutex_unlock(&all.lock);
}
