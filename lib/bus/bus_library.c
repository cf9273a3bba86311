// SPDX-License-Identifier: Apache-2.0
/* Begin and end of cnats, which all connections of the process share. */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "bus_private.h"

enum { CLOSE_TIMEOUT_MS = 10000 }; /* an upper bound: its threads normally end sooner */

void
bus_init(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
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
